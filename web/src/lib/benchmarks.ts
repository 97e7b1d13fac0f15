import type { BenchmarkDetails, BenchmarkMoment, BenchmarkRequest, BenchmarkResult, BenchmarkUnit, RankedResult } from "../api/types";
import { bytes } from "./format";

/** "1.2 GB/s". */
export function measured(value: number, unit: BenchmarkUnit): string {
  if (unit === "bytes/s") return `${bytes(value)}/s`;
  if (unit === "flop/s") return `${(value / 1e9).toFixed(value < 1e10 ? 2 : 1)} GFLOP/s`;
  if (unit === "ops/s") return `${Math.round(value).toLocaleString("en")} ops/s`;
  return `${value.toFixed(value < 10 ? 2 : 1)} ns`;
}

/** "sha256, size 1048576, all cores". */
export function requestWords(request: BenchmarkRequest): string {
  const parameters = Object.entries(request.parameters).map(([name, value]) => `${name} ${value.toLocaleString("en")}`);
  return [request.kind, ...parameters, request.allCores ? "all cores" : "one core"].join(", ");
}

/** Half of the interval of the median, as a part of it: "± 0.4 %". */
export const uncertainty = (r: BenchmarkResult): string => (r.median > 0 ? `± ${((50 * (r.high - r.low)) / r.median).toFixed(1)} %` : "");

/** Where a node stands in its group's strip, 0 to 1: from the slowest to the fastest, and no narrower than ten percent. */
export function place(ranked: RankedResult, all: readonly RankedResult[]): number {
  const percents = all.map((r) => r.percentOfMedian);
  const low = Math.min(95, ...percents);
  const high = Math.max(105, ...percents);
  return (ranked.percentOfMedian - low) / (high - low);
}

/** Of each node the newest result of each benchmark, where that does not count. */
export function uncounted(results: readonly BenchmarkResult[]): BenchmarkResult[] {
  const newest = new Map<string, BenchmarkResult>();
  for (const r of results) {
    const key = `${r.node} ${requestWords(r.request)}`;
    if (!newest.has(key)) newest.set(key, r);
  }
  return [...newest.values()].filter((r) => r.faults.length > 0);
}

/** "98.7 %"; empty for the first one, and for what does not count. */
export const compared = (r: BenchmarkResult): string => (r.percentOfBefore === undefined ? "" : `${r.percentOfBefore.toFixed(1)} %`);

/** "2.31", as the processor counted. */
export const perCycle = ({ counters }: Pick<BenchmarkDetails, "counters">): string =>
  counters === undefined ? "not available" : (counters.instructions / Math.max(1, counters.cycles)).toFixed(2);

/** "0.12 in 1,000 instructions". */
export const perThousand = ({ counters }: Pick<BenchmarkDetails, "counters">): string =>
  counters === undefined
    ? "not available"
    : `${((1000 * counters.cacheMisses) / Math.max(1, counters.instructions)).toFixed(2)} in 1,000 instructions`;

/** Seconds at which the firmware began to throttle. */
export const throttlings = (moments: readonly BenchmarkMoment[]): number[] =>
  moments.filter((m, i) => m.isThrottled === true && moments[i - 1]?.isThrottled !== true).map((m) => m.seconds);

/** A chart of the node during a run. */
export interface Course {
  title: string;
  /** Where the axis ends at least. */
  top?: number;
  lines: readonly { of: "clock" | "temperature" | "busy" | "background"; label: string; colour: string }[];
  text: (value: number) => string;
}

/** What is drawn of the node during a run. */
export const courses: readonly Course[] = [
  { title: "CPU clock", lines: [{ of: "clock", label: "slowest core", colour: "--good" }], text: (value) => `${Math.round(value)} MHz` },
  {
    title: "Temperature",
    top: 85,
    lines: [{ of: "temperature", label: "hottest sensor", colour: "--bad" }],
    text: (value) => `${value.toFixed(1)} °C`,
  },
  {
    title: "CPU",
    top: 100,
    lines: [
      { of: "busy", label: "busy", colour: "--busy" },
      { of: "background", label: "other programs", colour: "--warn" },
    ],
    text: (value) => `${value.toFixed(1)} %`,
  },
];

/** Of a node's results, each benchmark's own, as they follow each other in time; those that count, where there is more than one. */
export function histories(results: readonly BenchmarkResult[]): BenchmarkResult[][] {
  const byRequest = new Map<string, BenchmarkResult[]>();
  for (const r of results.filter(({ faults }) => faults.length === 0).toReversed()) {
    const key = requestWords(r.request);
    byRequest.set(key, [...(byRequest.get(key) ?? []), r]);
  }
  return [...byRequest.values()].filter((rows) => rows.length > 1);
}
