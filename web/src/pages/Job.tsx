import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { JobView, TaskPhase, TaskView } from "../api/types";
import { Ago } from "../components/Ago";
import { Allowed } from "../components/Allowed";
import { Empty, Notice } from "../components/Notice";
import { Bar } from "../components/Progress";
import { Table } from "../components/Table";
import { useAction } from "../components/useAction";
import { count, percent, rate, sentence } from "../lib/format";
import { togetherFraction } from "../lib/progress";
import { queryValue, setQueryValue } from "../lib/router";
import { isOver, jobTitle } from "../lib/words";
import { snapshot } from "../state/store";
import { CancelDialog } from "./jobs/CancelDialog";
import { Counts } from "./jobs/Counts";
import { taskColumns } from "./jobs/columns";
import { Failures } from "./jobs/Failures";
import { OutputPart } from "./jobs/OutputPart";
import { RetryButton } from "./jobs/RetryButton";
import { TaskLogDialog } from "./jobs/TaskLogDialog";
import { UndoNotice } from "./jobs/UndoNotice";
import { useJob } from "./jobs/useJob";

export function JobPage({ id }: { id: string }) {
  const { known, error, put } = useJob(id);
  if (error !== "") {
    return (
      <Empty title="This job cannot be shown">
        <p>{error}</p>
        <p>
          <a href="/jobs">All jobs</a>
        </p>
      </Empty>
    );
  }
  if (known === null) return <p class="dim">Reading …</p>;
  return <OneJob {...known} put={put} />;
}

interface OneJobProps {
  job: JobView;
  tasks: readonly TaskView[];
  phases: ReadonlyMap<string, readonly TaskPhase[]>;
  put: (tasks: readonly TaskView[]) => void;
}

function OneJob({ job, tasks, phases, put }: OneJobProps) {
  const [cancelling, setCancelling] = useState<TaskView[] | null>(null);
  const [log, setLog] = useState<TaskView | null>(null);
  const [columns] = useState(() => taskColumns((task) => setCancelling([task]), setLog));
  const state = queryValue("state");
  const rows = useMemo(
    () => tasks.filter((t) => state === "" || t.state === state).map((task) => ({ task, phases: phases.get(task.id) })),
    [tasks, phases, state],
  );
  const { busy, error, run } = useAction();
  const failed = tasks.filter((t) => t.state === "failed" || t.state === "timed-out");
  const open = tasks.filter((t) => !isOver(t.state));
  const fraction = togetherFraction(tasks.length - open.length, open);

  const unheard = !job.ended && tasks.every((t) => t.sentAt === undefined);
  const together = open.reduce((sum, t) => sum + (t.unit === "bytes" ? t.rate : 0), 0);

  async function cancel(): Promise<void> {
    const chosen = cancelling ?? [];
    if (chosen.length === open.length && chosen.length > 1) put((await api.cancelJob(job.id)).tasks);
    else for (const task of chosen) await api.cancelTask(task.id);
  }

  return (
    <>
      <p class="crumbs">
        <a href="/jobs">Jobs</a> /
      </p>
      <div class="page-head">
        <h1>{jobTitle(job)}</h1>
        <Counts job={job} chosen={state} />
        <span class="dim">
          {count(tasks.length, "node")}, ordered <Ago at={job.createdAt} />
          {job.createdBy === "policy" ? " by the policy for new boards" : job.schedule === undefined && ` by ${job.createdBy}`}
          {job.schedule && (
            <>
              {" "}
              by the schedule <a href="/schedules">{job.schedule}</a>
            </>
          )}
          {job.after && (
            <>
              , after <a href={`/jobs/${job.after}`}>another job</a>
            </>
          )}
          {job.retryOf && (
            <>
              , for what failed in <a href={`/jobs/${job.retryOf}`}>an earlier job</a>
            </>
          )}
        </span>
        <Allowed role="operator">
          <span class="end button-row">
            {failed.length > 0 && (
              <RetryButton
                job={job}
                targets={failed.flatMap((t) => snapshot.value.nodes.get(t.node) ?? [])}
                label={`Retry ${failed.length} failed`}
              />
            )}
            {open.length > 0 && (
              <button
                type="button"
                disabled={busy}
                onClick={() => void run(async () => put((await (job.paused ? api.resumeJob : api.pauseJob)(job.id)).tasks))}
              >
                {job.paused ? "Resume" : "Pause"}
              </button>
            )}
            {open.length > 1 && (
              <button type="button" onClick={() => setCancelling(open)}>
                Cancel all {open.length} …
              </button>
            )}
          </span>
        </Allowed>
      </div>
      {open.length > 0 && (
        <div class="job-progress">
          <Bar fraction={fraction} label="Whole job" />
          <span class="number">{percent(fraction)}</span>
          {together > 0 && <span class="dim">{rate(together, "bytes")} together</span>}
        </div>
      )}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {unheard && !job.paused && (
        <UndoNotice job={job} busy={busy} undo={() => void run(async () => put((await api.undoJob(job.id)).tasks))} />
      )}
      {job.paused && !job.ended && <Notice tone="warn">Paused: nothing more begins. What nodes work on goes on.</Notice>}
      {job.note !== "" && !job.paused && !unheard && <Notice tone={job.ended ? "bad" : "warn"}>{sentence(job.note)}</Notice>}
      <Failures tasks={tasks} showLog={setLog} />
      {state !== "" && (
        <p role="status">
          {rows.length} of {count(tasks.length, "node")}.{" "}
          <button type="button" class="small" onClick={() => setQueryValue("state", "")}>
            Show all
          </button>
        </p>
      )}
      <Table label="Tasks" columns={columns} rows={rows} keyOf={(r) => r.task.id} nameOf={(r) => r.task.nodeName} />
      <OutputPart job={job} tasks={tasks} />
      {cancelling && <CancelDialog tasks={cancelling} onCancel={cancel} onClose={() => setCancelling(null)} />}
      {log && (
        <TaskLogDialog task={tasks.find((t) => t.id === log.id) ?? log} phases={phases.get(log.id) ?? []} onClose={() => setLog(null)} />
      )}
    </>
  );
}
