import type { ComponentChildren } from "preact";
import { Blocks } from "./Blocks";
import { memo } from "./memo";

export interface Column<T> {
  id: string;
  title: string;
  /** A track of CSS grid: "minmax(8rem, 1fr)". */
  width: string;
  cell: (row: T) => ComponentChildren;
  align?: "end";
  /** Left out where the table is narrower than a desk's screen. */
  minor?: boolean;
}

interface Props<T> {
  label: string;
  /** The same array at every drawing: rows compare it. */
  columns: readonly Column<T>[];
  rows: readonly T[];
  keyOf: (row: T) => string;
  /** Where given, rows can be selected. */
  selection?: Selection;
  nameOf?: (row: T) => string;
}

export interface Selection {
  has: (key: string) => boolean;
  toggle: (key: string, range: boolean) => void;
  toggleAll: () => void;
  state: "none" | "some" | "all";
}

interface RowProps {
  row: unknown;
  /** From 1, the head counted. */
  index: number;
  id: string;
  name: string;
  columns: readonly Column<never>[];
  selected: boolean | undefined;
  toggle: Selection["toggle"] | undefined;
}

const Row = memo(function Row({ row, index, id, name, columns, selected, toggle }: RowProps) {
  return (
    <div class={selected ? "row selected" : "row"} role="row" aria-rowindex={index} data-key={id}>
      {toggle && (
        <div class="cell select" role="cell">
          <input type="checkbox" aria-label={`Select ${name}`} checked={selected} onClick={(e) => toggle(id, e.shiftKey)} />
        </div>
      )}
      {columns.map((column) => (
        <div class={cellClass(column)} role="cell" data-title={column.title} key={column.id}>
          {column.cell(row as never)}
        </div>
      ))}
    </div>
  );
});

function cellClass(column: Column<never>): string {
  return ["cell", `cell-${column.id}`, column.align ?? "", column.minor ? "minor" : ""].filter((c) => c !== "").join(" ");
}

/** A dense table. Rows are boxes of a fixed grid, not <tr>: so that a long one need not have all of them in the document (Blocks). */
export function Table<T>({ label, columns, rows, keyOf, selection, nameOf }: Props<T>) {
  const any = columns as readonly Column<never>[];
  const select = selection ? ["2.25rem"] : [];
  const tracks = (all: boolean) => [...select, ...columns.filter((c) => all || !c.minor).map((c) => c.width)].join(" ");
  return (
    <div
      class="table"
      role="table"
      aria-label={label}
      aria-rowcount={rows.length + 1}
      style={{ "--tracks": tracks(true), "--few-tracks": tracks(false) }}
    >
      <div class="row head" role="row" aria-rowindex={1}>
        {selection && (
          <div class="cell select" role="columnheader">
            <input
              type="checkbox"
              aria-label="Select all that are shown"
              checked={selection.state === "all"}
              ref={(box) => {
                if (box) box.indeterminate = selection.state === "some";
              }}
              onClick={selection.toggleAll}
            />
          </div>
        )}
        {any.map((column) => (
          <div class={cellClass(column)} role="columnheader" key={column.id}>
            {column.title}
          </div>
        ))}
      </div>
      <Blocks count={rows.length}>
        {(index) => {
          const row = rows[index]!;
          const key = keyOf(row);
          return (
            <Row
              key={key}
              id={key}
              index={index + 2}
              row={row}
              name={nameOf?.(row) ?? key}
              columns={any}
              selected={selection?.has(key)}
              toggle={selection?.toggle}
            />
          );
        }}
      </Blocks>
    </div>
  );
}
