import { expect, it } from "vitest";
import { nothing, reduce } from "../src/state/reduce";

it("a disk that is full or fails is known until it is good again", () => {
  const full = reduce(nothing, [{ name: "disk", data: { disk: "full" } }]);
  expect(full.disk).toBe("full");
  expect(reduce(full, []).disk).toBe("full");
  expect(reduce(full, [{ name: "disk", data: { disk: "failing" } }]).disk).toBe("failing");
  expect(reduce(full, [{ name: "disk", data: { disk: "good" } }]).disk).toBe("good");
});
