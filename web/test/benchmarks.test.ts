import { expect, it } from "vitest";
import type { BenchmarkResult, RankedResult } from "../src/api/types";
import {
  compared,
  histories,
  measured,
  perCycle,
  perThousand,
  place,
  requestWords,
  throttlings,
  uncertainty,
  uncounted,
} from "../src/lib/benchmarks";

const request = { kind: "sha256", parameters: { size: 1048576 }, allCores: false };

const result = (node: string, median: number, faults: BenchmarkResult["faults"] = []): BenchmarkResult => ({
  task: `${node}-${median}`,
  job: "job",
  node,
  nodeName: node,
  model: "Pi 4",
  request,
  unit: "bytes/s",
  median,
  mad: 0,
  low: median * 0.99,
  high: median * 1.01,
  isSteady: true,
  faults,
  startedAt: 0,
  isRegression: false,
  peer: "",
});

it("What was measured is told in its own unit", () => {
  expect(measured(1.234e9, "bytes/s")).toBe("1.2 GB/s");
  expect(measured(4.567e9, "flop/s")).toBe("4.57 GFLOP/s");
  expect(measured(3456.7, "ops/s")).toBe("3,457 ops/s");
  expect(measured(123.45, "ns")).toBe("123.5 ns");
  expect(requestWords({ ...request, allCores: true })).toBe("sha256, size 1,048,576, all cores");
  expect(uncertainty(result("a", 100))).toBe("± 1.0 %");
});

it("The strip goes from the slowest to the fastest, and does not make much of little", () => {
  const ranked = (percentOfMedian: number): RankedResult => ({ result: result("a", 1), percentOfMedian });
  const far = [ranked(120), ranked(100), ranked(60)];
  expect(far.map((r) => place(r, far))).toEqual([1, (100 - 60) / 60, 0]);
  const near = [ranked(101), ranked(99)];
  expect(near.map((r) => Number(place(r, near).toFixed(2)))).toEqual([0.6, 0.4]);
});

it("Of each node the newest result is listed where it does not count", () => {
  const hot = [{ reason: "throttled", words: "hot" }];
  const results = [result("a", 3), result("b", 2, hot), result("a", 1, hot), result("b", 4)];
  expect(uncounted(results).map((r) => r.task)).toEqual(["b-2"]);
});

it("A benchmark's history is what counts, from the oldest to the newest, where there is more than one", () => {
  const hot = [{ reason: "throttled", words: "hot" }];
  const other = { ...result("a", 9), request: { ...request, allCores: true } };
  const results = [result("a", 3), result("a", 2, hot), other, result("a", 1)];
  expect(histories(results).map((rows) => rows.map((r) => r.median))).toEqual([[1, 3]]);
  expect(compared({ ...result("a", 1), percentOfBefore: 91.26 })).toBe("91.3 %");
  expect(compared(result("a", 1))).toBe("");
});

it("Throttling is told once, where it began", () => {
  const at = (seconds: number, isThrottled?: boolean) => ({ seconds, ...(isThrottled !== undefined && { isThrottled }) });
  expect(throttlings([at(0), at(1, true), at(2, true), at(3, false), at(4, true), at(5)])).toEqual([1, 4]);
});

it("What the processor counted is told for each cycle and instruction, and where it does not tell, that", () => {
  expect([perCycle({}), perThousand({})]).toEqual(["not available", "not available"]);
  const counters = { cycles: 2e9, instructions: 5e9, cacheMisses: 1e6 };
  expect([perCycle({ counters }), perThousand({ counters })]).toEqual(["2.50", "0.20 in 1,000 instructions"]);
});
