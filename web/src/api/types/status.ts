/** What a metric's numbers count. */
export type MetricUnit =
  | "count"
  | "flag"
  | "percent"
  | "celsius"
  | "bytes"
  | "bytes-per-second"
  | "per-second"
  | "megahertz"
  | "megabits-per-second"
  | "seconds"
  | "milliseconds"
  | "volts"
  | "amperes"
  | "revolutions-per-minute";

export interface Metric {
  name: string;
  unit: MetricUnit;
  title: string;
  step: number;
  /** What a part of the machine is here ("core"); absent: parts are not told apart. */
  part?: string;
  isKept: boolean;
}

/** A node that serves its status itself. */
export interface StatusMember {
  node: string;
  url: string;
}

export interface StatusTokens {
  until: string;
  tokens: Record<string, string>;
}

export interface ProcessReading {
  id: number;
  name: string;
  /** Percent of one core. */
  busy: number;
  memory: number;
}

/** What a node tells: all of its state, or what changed. A value that is null is unknown from now on. */
export interface StatusMessage {
  sequence: number;
  at: number;
  whole: boolean;
  values: Record<string, number | null>;
  facts?: Record<string, string | null>;
  processes?: ProcessReading[];
}

/** What the appliance tells of a node that the browser cannot reach. */
export interface RelayedStatus {
  node: string;
  status?: StatusMessage;
  fault?: string;
}

/** What a node measured, column by column. */
export interface MetricHistory {
  metric: string;
  unit: MetricUnit;
  /** Unix milliseconds; a gap is where the next time is more than a step later. */
  times: number[];
  min: number[];
  mean: number[];
  max: number[];
}

export interface NodeHistory {
  stepSeconds: number;
  series: MetricHistory[];
}
