import { useEffect, useState } from "preact/hooks";
import { useAction } from "./useAction";

/**
 * What the appliance says when asked, and again when anything of `by` changes.
 * @returns `value` undefined before the first answer; `error` its refusal; `reload` asks again.
 */
export function useRead<T>(read: () => Promise<T>, by: readonly unknown[] = []): { value: T | undefined; error: string; reload: () => Promise<void> } {
  const [value, setValue] = useState<T>();
  const { error, run } = useAction();
  const reload = () => run(async () => setValue(await read()));
  useEffect(() => void reload(), by);
  return { value, error, reload };
}
