/** Something that is wrong with a node, or was. */
export interface Alert {
  node: string;
  nodeName: string;
  rule: string;
  title: string;
  /** What was measured, in words; may be empty. */
  text: string;
  startedAt: number;
  /** Absent: it goes on. */
  endedAt?: number;
  /** How often it has come back within a short time. */
  times: number;
  /** Why nobody is told; empty: they are. */
  muted: string;
}

export type AlertComparison = "above" | "below" | "off-by" | "rises-by";

/** When an alert is raised. */
export interface AlertRule {
  name: string;
  title: string;
  /** A metric's key. */
  metric: string;
  comparison: AlertComparison;
  threshold: number;
  /** For so long; with rises-by, within so long. */
  forSeconds: number;
  /** On these nodes; absent: on all. */
  select?: string;
  enabled: boolean;
}

export interface AlertRuleView {
  rule: AlertRule;
  /** The appliance came with it, it was changed since, or somebody made it. */
  origin: "built-in" | "changed" | "own";
}
