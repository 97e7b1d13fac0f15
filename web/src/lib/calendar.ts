/** The first of a month, and the days around it that fill whole weeks from Monday on. All days are written as "2026-11-25". */
export interface Month {
  /** "2026-11". */
  key: string;
  title: string;
  days: readonly string[];
}

const dayKey = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

/** @param key "2026-11". */
export function monthOf(key: string): Month {
  const [year, month] = key.split("-").map(Number) as [number, number];
  const before = (new Date(Date.UTC(year, month - 1, 1)).getUTCDay() + 6) % 7;
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weeks = Math.ceil((before + length) / 7);
  return {
    key,
    title: new Date(Date.UTC(year, month - 1, 1)).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }),
    days: Array.from({ length: weeks * 7 }, (_, i) => dayKey(year, month - 1, 1 - before + i)),
  };
}

/** The month so many months away. */
export function monthAway(key: string, months: number): string {
  const [year, month] = key.split("-").map(Number) as [number, number];
  return dayKey(year, month - 1 + months, 1).slice(0, 7);
}

/** The day of a time, by the clock of a zone. */
export function dayOf(at: number, timeZone: string): string {
  // The form of Sweden is that of ISO 8601.
  return new Date(at).toLocaleDateString("sv-SE", { timeZone });
}

/** "Wed 25". */
export function dayTitle(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", timeZone: "UTC" });
}

/** "03:00". */
export function dayTime(at: number, timeZone: string): string {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
}
