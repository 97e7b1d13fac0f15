import type { JobKind, Measure, NodeView, TaskState } from "../api/types";

/** Where a phase of an installation begins and ends on its whole way: what Pis with usual cards need, roughly. */
const span: Record<string, readonly [number, number]> = {
  staging: [0, 0.03],
  rebooting: [0.03, 0.05],
  checking: [0.05, 0.06],
  keeping: [0.06, 0.07],
  writing: [0.07, 0.7],
  verifying: [0.7, 0.9],
  configuring: [0.9, 0.93],
  starting: [0.93, 0.97],
  trying: [0.93, 0.96],
  confirming: [0.96, 0.97],
  "first-boot": [0.97, 1],
};

/** The same of an update of boot firmware: most of it is the restart. */
const firmwareSpan: Record<string, readonly [number, number]> = {
  checking: [0, 0.1],
  staging: [0.1, 0.4],
  restarting: [0.4, 0.95],
  confirming: [0.95, 1],
};

/** How far within the phase, 0 to 1; null where the phase has no measure. */
export function phaseFraction(m: Measure): number | null {
  return m.total > 0 ? Math.min(1, m.done / m.total) : null;
}

/** How far on the whole way, 0 to 1: it never goes back when a phase ends. */
export function overallFraction(m: Measure & { state: TaskState; kind: JobKind }): number {
  if (m.state === "succeeded") return 1;
  const [from, to] = (m.kind === "firmware" ? firmwareSpan : span)[m.phase] ?? [0, 0];
  return from + (to - from) * (phaseFraction(m) ?? 0);
}

/** What is going on everywhere. */
export function ongoing(nodes: readonly NodeView[]): { tasks: number; fraction: number; jobs: string[] } {
  const tasks = nodes.flatMap((n) => (n.task ? [n.task] : []));
  const sum = tasks.reduce((total, task) => total + overallFraction(task), 0);
  return { tasks: tasks.length, fraction: tasks.length === 0 ? 0 : sum / tasks.length, jobs: [...new Set(tasks.map((t) => t.jobId))] };
}
