import { useEffect, useRef, useState } from "preact/hooks";

/**
 * What the appliance says when asked, and again when anything of `by` changes. Of several questions only the last one's answer counts,
 * whichever comes first.
 * @returns `value` undefined before the first answer; `error` its refusal; `reload` asks again.
 */
export function useRead<T>(
  read: () => Promise<T>,
  by: readonly unknown[] = [],
): { value: T | undefined; error: string; reload: () => Promise<void> } {
  const [answer, setAnswer] = useState<{ value?: T; error: string }>({ error: "" });
  const question = useRef(0);
  const reload = async () => {
    const mine = ++question.current;
    try {
      const value = await read();
      if (mine === question.current) setAnswer({ value, error: "" });
    } catch (e) {
      if (mine === question.current) setAnswer((before) => ({ ...before, error: e instanceof Error ? e.message : String(e) }));
    }
  };
  useEffect(() => {
    void reload();
    return () => {
      question.current++;
    };
  }, by);
  return { value: answer.value, error: answer.error, reload };
}
