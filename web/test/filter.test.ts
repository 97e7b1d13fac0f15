import { expect, test } from "vitest";
import selectors from "../../tests/fixtures/selectors.json";
import type { NodeView } from "../src/api/types";
import { filterFault, nodeFilter } from "../src/lib/filter";
import { node } from "./fixtures";

test.each(selectors.cases)("filter '$query' takes the board: $taken", ({ query, taken }) =>
  expect(nodeFilter(query)(selectors.node as unknown as NodeView)).toBe(taken),
);

test.each(selectors.faults)("filter '$query' has no field '$field', and takes nobody", ({ query, field }) => {
  expect(filterFault(query)).toBe(
    `Nodes have no field '${field}': it is one of ${selectors.fields.join(", ")}. Words with ':' or '=' in them stand between quotes.`,
  );
  expect(nodeFilter(query)(selectors.node as unknown as NodeView)).toBe(false);
});

test.each(selectors.cases)("filter '$query' is sound", ({ query }) => expect(filterFault(query)).toBe(""));

test.each(["", "   "])("an empty filter takes every board", (query) => expect(nodeFilter(query)(node())).toBe(true));

test("a task is found by kind and phase", () => {
  const busy = node({
    task: { id: "t", jobId: "j", kind: "install", state: "running", phase: "writing", done: 0, total: 0, unit: "", rate: 0 },
  });
  expect(nodeFilter("task:writing")(busy)).toBe(true);
  expect(nodeFilter("task:none")(busy)).toBe(false);
});
