import type { TaskState, TaskView } from "../api/types";

export interface CauseGroup {
  state: TaskState;
  /** In the words of the first task. */
  cause: string;
  /** Some of its tasks tell other numbers. */
  varies: boolean;
  tasks: TaskView[];
}

const told: ReadonlySet<TaskState> = new Set<TaskState>(["failed", "timed-out", "skipped"]);

/** Block numbers, digests and addresses: what differs from node to node while the cause is the same. */
const particular = /\b(?:0x)?[0-9a-f]*\d[0-9a-f]*\b/gi;

/** Tasks that did not succeed, those with one cause together; the most frequent first. */
export function groupByCause(tasks: readonly TaskView[]): CauseGroup[] {
  const groups = new Map<string, CauseGroup>();
  for (const task of tasks) {
    if (!told.has(task.state) || (task.state === "skipped" && task.cause === "")) continue;
    const key = `${task.state} ${task.cause.replace(particular, "#")}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { state: task.state, cause: task.cause, varies: false, tasks: [task] });
    else {
      group.tasks.push(task);
      group.varies ||= group.cause !== task.cause;
    }
  }
  return [...groups.values()].sort((a, b) => b.tasks.length - a.tasks.length);
}
