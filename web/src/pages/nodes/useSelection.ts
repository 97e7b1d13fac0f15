import { useMemo, useRef, useState } from "preact/hooks";
import type { Selection } from "../../components/Table";

/** Which rows are selected. The filter never changes that; rows that are gone drop out by themselves. */
export function useSelection<T extends { id: string }>(all: readonly T[], shown: readonly T[]) {
  const [ids, setIds] = useState<ReadonlySet<string>>(new Set());
  const anchor = useRef<string | null>(null);
  const current = useRef(shown);
  current.current = shown;

  const selected = useMemo(() => all.filter((row) => ids.has(row.id)), [all, ids]);
  const selectedShown = shown.filter((row) => ids.has(row.id)).length;
  const state = selectedShown === 0 ? "none" : selectedShown === shown.length ? "all" : "some";

  /** With Shift, everything from the last one on gets what this one gets. Stays one function: rows compare it. */
  const toggle = useMemo(
    () => (id: string, range: boolean) =>
      setIds((before) => {
        const next = new Set(before);
        const order = current.current.map((row) => row.id);
        const from = range && anchor.current !== null ? order.indexOf(anchor.current) : -1;
        const to = order.indexOf(id);
        const on = !before.has(id);
        const changed = from < 0 ? [id] : order.slice(Math.min(from, to), Math.max(from, to) + 1);
        for (const one of changed) on ? next.add(one) : next.delete(one);
        anchor.current = id;
        return next;
      }),
    [],
  );

  function change(on: boolean): void {
    setIds((before) => {
      const next = new Set(before);
      for (const { id } of shown) on ? next.add(id) : next.delete(id);
      return next;
    });
  }

  const selection: Selection = { has: (id) => ids.has(id), toggle, toggleAll: () => change(state !== "all"), state };
  return { selected, selection, clear: () => setIds(new Set()), selectShown: () => change(true) };
}
