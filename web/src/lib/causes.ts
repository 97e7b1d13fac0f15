import type { TaskView } from "../api/types";

export interface CauseGroup {
  cause: string;
  tasks: TaskView[];
}

/** Tasks that did not succeed, those with one cause together; the most frequent first. */
export function groupByCause(tasks: readonly TaskView[]): CauseGroup[] {
  const groups = new Map<string, TaskView[]>();
  for (const task of tasks) {
    if (task.state !== "failed" && task.state !== "timed-out") continue;
    groups.set(task.cause, [...(groups.get(task.cause) ?? []), task]);
  }
  return [...groups].map(([cause, of]) => ({ cause, tasks: of })).sort((a, b) => b.tasks.length - a.tasks.length);
}
