import type { MetricHistory, NodeHistory } from "../api/types";

/** A metric's values at the times of a chart. */
export interface Column {
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

export interface Columns {
  /** Unix seconds. */
  times: number[];
  of: Record<string, Column>;
}

/**
 * The columns of several metrics at the same times. Where a step is missing a time without values stands in for it, so that no line is
 * drawn through what nobody knows.
 */
export function columnsOf({ stepSeconds, series }: NodeHistory): Columns {
  const step = stepSeconds * 1000;
  const known = [...new Set(series.flatMap((s) => s.times))].sort((a, b) => a - b);
  const times = known.flatMap((at, i) => (i > 0 && at - known[i - 1]! > 1.5 * step ? [known[i - 1]! + step, at] : [at]));
  const of: Record<string, Column> = {};
  for (const s of series) of[s.metric] = columnOf(s, times);
  return { times: times.map((at) => at / 1000), of };
}

function columnOf(series: MetricHistory, times: number[]): Column {
  const place = new Map(series.times.map((at, i) => [at, i]));
  const column = (values: number[]) =>
    times.map((at) => {
      const i = place.get(at);
      return i === undefined ? null : values[i]!;
    });
  return { mean: column(series.mean), min: column(series.min), max: column(series.max) };
}

/** How far back charts go. */
export const ranges = { hour: ["1 h", 3600], day: ["24 h", 24 * 3600], month: ["30 days", 30 * 24 * 3600] } as const;
export type Range = keyof typeof ranges;

/** What a board cannot tell has no line. */
export const isKnown = ({ of }: Columns, metric: string): boolean => of[metric]?.mean.some((value) => value !== null) === true;

/** One metric of several nodes at the same times, by their places in the list: "0", "1", … */
export function sideBySide(histories: readonly NodeHistory[], metric: string): Columns {
  const series = histories.flatMap((h, i) => h.series.filter((s) => s.metric === metric).map((s) => ({ ...s, metric: `${i}` })));
  return columnsOf({ ...histories[0]!, series });
}

/** Live values behind the history: one more point for each second, and the oldest go. */
export class LiveColumns {
  readonly times: number[] = [];
  readonly values: Record<string, (number | null)[]> = {};

  constructor(
    readonly metrics: readonly string[],
    readonly seconds: number,
  ) {
    for (const metric of metrics) this.values[metric] = [];
  }

  add(at: number, values: Readonly<Record<string, number>>): void {
    const last = this.times.at(-1);
    if (last !== undefined && at <= last) return;
    // Nothing was heard for a while: no line is drawn through that.
    if (last !== undefined && at - last > 15) this.push(last + 1, {});
    this.push(at, values);
    const old = this.times.findIndex((time) => time >= at - this.seconds);
    if (old > 0) {
      this.times.splice(0, old);
      for (const metric of this.metrics) this.values[metric]!.splice(0, old);
    }
  }

  private push(at: number, values: Readonly<Record<string, number>>): void {
    this.times.push(at);
    for (const metric of this.metrics) this.values[metric]!.push(values[metric] ?? null);
  }
}
