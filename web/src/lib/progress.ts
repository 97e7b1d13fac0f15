import type { JobView, NodeView, TaskState } from "../api/types";
import { isOver } from "./words";

/** What every bar of several tasks together shows: what has ended is done, and of what nobody knows how far it is, nothing. */
export function togetherFraction(ended: number, open: readonly { fraction?: number }[], all = ended + open.length): number {
  return all === 0 ? 0 : (ended + open.reduce((sum, task) => sum + (task.fraction ?? 0), 0)) / all;
}

/** What is going on everywhere: of one job, the same as its own page shows. */
export function ongoing(
  nodes: readonly NodeView[],
  jobs: ReadonlyMap<string, JobView>,
): { tasks: number; fraction: number; jobs: string[] } {
  const tasks = nodes.flatMap((n) => (n.task ? [n.task] : []));
  const ids = [...new Set(tasks.map((t) => t.jobId))];
  let ended = 0;
  let open = 0;
  for (const id of ids) {
    let [over, left] = [0, 0];
    for (const [state, count] of Object.entries(jobs.get(id)?.counts ?? {}) as [TaskState, number][]) {
      if (isOver(state)) over += count;
      else left += count;
    }
    ended += over;
    // Of a job that is not known any more, only what its nodes do is.
    open += Math.max(left, tasks.filter((t) => t.jobId === id).length);
  }
  return { tasks: tasks.length, fraction: togetherFraction(ended, tasks, ended + open), jobs: ids };
}
