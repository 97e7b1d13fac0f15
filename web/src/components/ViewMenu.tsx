import type { Signal } from "@preact/signals";
import { type Density, density } from "../lib/density";
import { Icon } from "./Icon";
import type { Column } from "./Table";

interface Props {
  columns: readonly Pick<Column<never>, "id" | "title">[];
  /** Ids of those that are shown; the reader's choice. */
  shown: Signal<readonly string[]>;
  /** What is shown where nobody chose. */
  usual: readonly string[];
}

const densities: readonly [Density, string][] = [
  ["comfortable", "Comfortable"],
  ["compact", "Compact"],
];

/** How a table looks: how close its rows stand, and which columns it has. */
export function ViewMenu({ columns, shown, usual }: Props) {
  function toggle(id: string): void {
    const next = new Set(shown.value);
    if (!next.delete(id)) next.add(id);
    shown.value = columns.filter((c) => next.has(c.id)).map((c) => c.id);
  }
  return (
    <>
      <button type="button" class="plain view-button" popovertarget="view-menu">
        <Icon name="view" /> View
      </button>
      <div id="view-menu" class="menu" popover="auto" role="dialog" aria-label="View">
        <fieldset>
          <legend>Rows</legend>
          {densities.map(([value, word]) => (
            <label key={value}>
              <input type="radio" name="density" checked={density.value === value} onChange={() => (density.value = value)} /> {word}
            </label>
          ))}
        </fieldset>
        <fieldset>
          <legend>Columns</legend>
          {columns.map((c) => (
            <label key={c.id}>
              <input type="checkbox" checked={shown.value.includes(c.id)} onChange={() => toggle(c.id)} /> {c.title}
            </label>
          ))}
        </fieldset>
        <button type="button" class="small" onClick={() => (shown.value = usual)}>
          The usual columns
        </button>
      </div>
    </>
  );
}
