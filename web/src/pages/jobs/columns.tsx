import type { TaskPhase, TaskView } from "../../api/types";
import { TaskBadge } from "../../components/Badge";
import { TaskBar } from "../../components/Progress";
import type { Column } from "../../components/Table";
import { Phases, Strip } from "../../components/Timeline";
import { duration } from "../../lib/format";
import { spansOf } from "../../lib/timeline";
import { diskWords, hasOutput, isOver } from "../../lib/words";
import { may } from "../../state/session";
import { now, snapshot } from "../../state/store";

/** How long it took, or has taken so far. */
function Took({ task }: { task: TaskView }) {
  if (task.sentAt === undefined) return <span class="dim">–</span>;
  return <>{duration((task.endedAt ?? now.value) - task.sentAt)}</>;
}

/** A task and its course. */
export interface TaskLine {
  task: TaskView;
  phases: readonly TaskPhase[] | undefined;
}

function Course({ task, phases }: TaskLine) {
  if (isOver(task.state)) {
    return (
      <>
        {task.cause !== "" && <span class="cause">{task.cause}</span>}
        {task.exitCode !== undefined && <span class={task.exitCode === 0 ? "dim" : "bad-text"}>exit code {task.exitCode}</span>}
        {task.note !== "" && <span class="warn-text">{task.note}</span>}
        {task.state !== "succeeded" && task.disk && (
          <span class={task.disk === "unbootable" ? "bad-text" : "dim"}>{diskWords[task.disk]}</span>
        )}
        {task.state !== "succeeded" && !task.disk && task.kind === "install" && task.sentAt === undefined && (
          <span class="dim">{diskWords.untouched}</span>
        )}
        <Ended task={task} phases={phases} />
      </>
    );
  }
  return (
    <>
      {task.state === "running" && task.phase !== "" && <TaskBar task={task} label={task.nodeName} />}
      {task.stall !== "" && <span class="warn-text">{task.stall}</span>}
      {task.state === "running" && <Present task={task} phases={phases} />}
      {task.state === "held" && <span class="dim">queued</span>}
      {task.state === "waiting" && task.cause === "" && <span class="dim">until the node is there and free</span>}
      {task.attempts > 1 && <span class="warn-text">attempt {task.attempts}</span>}
      {task.cause !== "" && <span class="warn-text">{task.cause}</span>}
      {task.cancelRequested && <span class="warn-text">cancelling: waits for the node's answer</span>}
    </>
  );
}

/** Keeps up with the clock. */
function Present({ task, phases }: TaskLine) {
  return <Phases spans={spansOf(task, phases ?? [], now.value)} />;
}

function Ended({ task, phases }: TaskLine) {
  const spans = spansOf(task, phases ?? [], task.endedAt ?? 0);
  return (
    <>
      <Strip spans={spans} />
      <Phases spans={spans} />
    </>
  );
}

export const taskColumns = (cancel: (task: TaskView) => void, showLog: (task: TaskView) => void): readonly Column<TaskLine>[] => [
  {
    id: "name",
    title: "Node",
    width: "minmax(8rem, 1fr)",
    cell: ({ task: t }) =>
      snapshot.value.nodes.has(t.node) ? (
        <a class="name" href={`/nodes/${t.node}`}>
          {t.nodeName}
        </a>
      ) : (
        <span title="This node was forgotten">{t.nodeName}</span>
      ),
  },
  { id: "state", title: "State", width: "7.5rem", cell: ({ task: t }) => <TaskBadge state={t.state} /> },
  { id: "course", title: "Progress", width: "minmax(14rem, 3fr)", cell: (line) => <Course {...line} /> },
  { id: "took", title: "Time", width: "6rem", align: "end", cell: ({ task: t }) => <Took task={t} /> },
  {
    id: "do",
    title: "",
    width: "9.5rem",
    align: "end",
    cell: ({ task: t }) => (
      <>
        {may("operator") && !isOver(t.state) && !t.cancelRequested && (
          <button type="button" class="small" aria-label={`Cancel ${t.nodeName}`} onClick={() => cancel(t)}>
            Cancel …
          </button>
        )}
        <LogButton task={t} showLog={showLog} />
      </>
    ),
  },
];

function LogButton({ task, showLog }: { task: TaskView; showLog: (task: TaskView) => void }) {
  const what = hasOutput(task.kind) ? "Output" : "Log";
  return (
    <button type="button" class="small" aria-label={`${what} of ${task.nodeName}`} onClick={() => showLog(task)}>
      {what}
    </button>
  );
}
