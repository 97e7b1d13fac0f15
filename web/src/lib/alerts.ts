import type { Alert, AlertComparison, AlertRule, Metric } from "../api/types";
import { metricText } from "./heat";
import { metricOf, partOf } from "./status";

export const comparisonWords: Record<AlertComparison, string> = {
  above: "is above",
  below: "is below",
  "off-by": "is off by more than",
  "rises-by": "rises by more than",
};

/** "30 s", "5 min". */
export const secondsText = (seconds: number) => (seconds >= 60 && seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`);

/** "Temperature is above 80 °C for 30 s". */
export function conditionText(rule: AlertRule, metrics: readonly Metric[]): string {
  const metric = metrics.find((m) => m.name === metricOf(rule.metric));
  const part = partOf(rule.metric);
  const name = `${metric?.title ?? rule.metric}${part === undefined ? "" : ` (${part})`}`;
  if (metric?.unit === "flag") return `${name}${rule.forSeconds === 0 ? "" : ` for ${secondsText(rule.forSeconds)}`}`;
  const value = metric === undefined ? String(rule.threshold) : metricText(metric, rule.threshold);
  if (rule.comparison === "rises-by" && rule.threshold === 0) return `${name}: more within ${secondsText(rule.forSeconds)}`;
  const time = rule.forSeconds === 0 ? "" : ` ${rule.comparison === "rises-by" ? "within" : "for"} ${secondsText(rule.forSeconds)}`;
  return `${name} ${comparisonWords[rule.comparison]} ${value}${time}`;
}

/** By node: what is wrong with it now. */
export function byNode(alerts: Iterable<Alert>): Map<string, Alert[]> {
  const nodes = new Map<string, Alert[]>();
  for (const alert of alerts) {
    if (alert.endedAt !== undefined) continue;
    const its = nodes.get(alert.node);
    if (its === undefined) nodes.set(alert.node, [alert]);
    else its.push(alert);
  }
  return nodes;
}
