import type { Metric } from "../api/types";
import { bytes, duration, linkSpeed } from "./format";

/** A value as people read it: "54 °C", "37 %", "1.2 MB/s". */
export function metricText(metric: Metric, value: number): string {
  switch (metric.unit) {
    case "flag":
      return value > 0 ? "yes" : "no";
    case "percent":
      return `${Math.round(value)} %`;
    case "celsius":
      return `${Math.round(value)} °C`;
    case "bytes":
      return bytes(value);
    case "bytes-per-second":
      return `${bytes(value)}/s`;
    case "per-second":
      return `${value.toFixed(1)}/s`;
    case "megahertz":
      return `${Math.round(value)} MHz`;
    case "megabits-per-second":
      return linkSpeed(value);
    case "seconds":
      return Math.abs(value) >= 60 ? duration(value * 1000) : `${value.toFixed(1)} s`;
    case "milliseconds":
      return `${value.toFixed(1)} ms`;
    case "volts":
      return `${value.toFixed(2)} V`;
    case "amperes":
      return `${value.toFixed(2)} A`;
    case "revolutions-per-minute":
      return `${Math.round(value)} rpm`;
    case "count":
      return Number.isInteger(value) ? `${value}` : value.toFixed(2);
  }
}

/** From where to where a colour goes. */
export interface Scale {
  from: number;
  to: number;
}

/** Bounds that mean the same on every rack, where a metric has such: a board at 40 °C is never red because the others are at 35. */
const fixed: Partial<Record<string, Scale>> = { temperature: { from: 30, to: 85 } };

/** The scale of a metric, given what the nodes have of it. */
export function scaleOf(metric: Metric, values: readonly number[]): Scale {
  const known = fixed[metric.name];
  if (known !== undefined) return known;
  if (metric.unit === "percent") return { from: 0, to: 100 };
  if (metric.unit === "flag") return { from: 0, to: 1 };
  const most = Math.max(0, ...values);
  // A bound that moves with every value would make all tiles flicker: the next round number.
  const step = 10 ** Math.floor(Math.log10(most || 1));
  return { from: 0, to: Math.max(step, Math.ceil(most / step) * step) };
}

/** Where a value is on its scale, 0 to 1. */
export const heatOf = (value: number, { from, to }: Scale) => Math.min(1, Math.max(0, (value - from) / (to - from)));
