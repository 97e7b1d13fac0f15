import { expect, test } from "vitest";
import { nodeFilter } from "../src/lib/filter";
import { node } from "./fixtures";

test.each([
  ["", true],
  ["   ", true],
  ["cdef01", true],
  ["RASPBERRY pi", true],
  ["raspberry virtual", false],
  ["state:net-inst", true],
  ["state:offline", false],
  ["-state:offline", true],
  ["-raspberry", false],
  ["arch:arm64 state:new", true],
  ["image:none", true],
  ["task:none", true],
  ['model:"4 Model B"', true],
  ['model:"4 model', true],
  ["mac:dc:a6", true],
  ["dc:a6:32", true],
  ["name:arm64", false],
  ["tag:camera", true],
  ["tag:front", false],
  ["-tag:none", true],
  ['location:"room 12"', true],
  ["mark:new", true],
  ["mark:changed", false],
  ["switch:rack", false],
  ["constructor:x", false],
  ["-", true],
])("filter '%s' takes the board: %s", (query, taken) => expect(nodeFilter(query)(node())).toBe(taken));

test("a task is found by kind and phase", () => {
  const busy = node({ task: { id: "t", jobId: "j", kind: "install", state: "running", phase: "writing", done: 0, total: 0, unit: "", rate: 0 } });
  expect(nodeFilter("task:writing")(busy)).toBe(true);
  expect(nodeFilter("task:none")(busy)).toBe(false);
});
