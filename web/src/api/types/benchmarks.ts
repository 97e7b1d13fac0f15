/** A number that a benchmark can be run with. */
export interface BenchmarkParameter {
  name: string;
  /** Written as 64KiB or 1MiB. */
  isBytes: boolean;
  default: number;
  words: string;
}

export interface Benchmark {
  name: string;
  unit: BenchmarkUnit;
  words: string;
  parameters: BenchmarkParameter[];
}

export type BenchmarkUnit = "bytes/s" | "flop/s" | "ops/s" | "ns";

export interface BenchmarkRequest {
  kind: string;
  parameters: Record<string, number>;
  allCores: boolean;
}

/** Why a result does not count. */
export interface BenchmarkFault {
  reason: string;
  words: string;
}

export interface BenchmarkResult {
  task: string;
  job: string;
  node: string;
  nodeName: string;
  model: string;
  request: BenchmarkRequest;
  unit: BenchmarkUnit;
  median: number;
  mad: number;
  /** The median is between `low` and `high` with 95 % probability. */
  low: number;
  high: number;
  isSteady: boolean;
  faults: BenchmarkFault[];
  startedAt: number;
  /** Of what the node reached the times before; above 100 is better. */
  percentOfBefore?: number;
  /** It is clearly slower than before. */
  isRegression: boolean;
  /** Who was at the other end where the network was measured; else empty. */
  peer: string;
}

/** What the node was like at one second of a run; what it cannot tell is missing. */
export interface BenchmarkMoment {
  seconds: number;
  /** Of the slowest core, MHz. */
  clock?: number;
  /** Of the hottest sensor, °C. */
  temperature?: number;
  /** Percent of all cores. */
  busy?: number;
  /** Of that, what was not the benchmark. */
  background?: number;
  isThrottled?: boolean;
}

/** All of one result. */
export interface BenchmarkDetails {
  summary: BenchmarkResult;
  machine: {
    model: string;
    architecture: string;
    firmware: string;
    kernel: string;
    governor?: string;
    nominalClock?: number;
    measuredClock: number;
    processors: number;
  };
  samples: number[];
  moments: BenchmarkMoment[];
  /** What the processors counted during all samples; they may not tell. */
  counters?: { cycles: number; instructions: number; cacheMisses: number };
  waitedSeconds: number;
  seconds: number;
}

export interface RankedResult {
  result: BenchmarkResult;
  /** Of the group's median; above 100 is better. */
  percentOfMedian: number;
  /** It is slower than its equals, and probably for this reason. */
  cause?: string;
}

/** Boards of one model, by one benchmark. */
export interface BenchmarkGroup {
  model: string;
  request: BenchmarkRequest;
  unit: BenchmarkUnit;
  median: number;
  nodes: RankedResult[];
}

/** The newest burn-in of a node. */
export interface BurnIn {
  node: string;
  nodeName: string;
  /** Card: the card's test before an installation, alone. */
  set: "short" | "long" | "card";
  state: "running" | "passed" | "failed";
  /** What was wrong, a sentence each. */
  findings: string[];
  startedAt: number;
  /** The installation that has tested the card, and the benchmarks, in their order. */
  jobs: string[];
}
