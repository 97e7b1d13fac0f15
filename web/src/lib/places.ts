/** The steps of a place: "users[0].name" → users, 0, name. */
const stepsOf = (place: string): string[] => place.split(/[.[\]]+/).filter((step) => step !== "");

/** What is at a place; undefined where there is no such place. */
export function at(whole: unknown, place: string): unknown {
  return stepsOf(place).reduce<unknown>((part, step) => (part as Record<string, unknown> | undefined)?.[step], whole);
}

/** The same with something else at a place; nothing is changed in place. */
export function withAt<T>(whole: T, place: string, value: unknown): T {
  const put = (part: unknown, [step, ...rest]: string[]): unknown => {
    if (step === undefined) return value;
    if (Array.isArray(part)) return part.map((item, i) => (String(i) === step ? put(item, rest) : item));
    const record = (part ?? {}) as Record<string, unknown>;
    return { ...record, [step]: put(record[step], rest) };
  };
  return put(whole, stepsOf(place)) as T;
}
