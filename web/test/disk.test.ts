import { expect, it } from "vitest";
import { nothing, reduce } from "../src/state/reduce";

it("a disk that is full is known until there is room again", () => {
  const full = reduce(nothing, [{ name: "disk", data: { full: true } }]);
  expect(full.diskFull).toBe(true);
  expect(reduce(full, []).diskFull).toBe(true);
  expect(reduce(full, [{ name: "disk", data: { full: false } }]).diskFull).toBe(false);
});
