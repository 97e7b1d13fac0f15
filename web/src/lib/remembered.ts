import { effect, type Signal, signal } from "@preact/signals";

/** A choice of the reader's that this browser keeps. */
export function remembered<T>(key: string, initial: T, isOne: (value: unknown) => value is T): Signal<T> {
  const chosen = signal(initial);
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(key) ?? "null");
    if (isOne(stored)) chosen.value = stored;
  } catch {
    // Not ours, or from another time: as if it were not there.
  }
  effect(() => {
    if (chosen.value === initial) localStorage.removeItem(key);
    else localStorage.setItem(key, JSON.stringify(chosen.value));
  });
  return chosen;
}
