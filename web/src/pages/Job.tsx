import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { JobKind, JobView, NodeView, TaskView } from "../api/types";
import { Ago } from "../components/Ago";
import { Empty, Notice } from "../components/Notice";
import { Bar } from "../components/Progress";
import { Table } from "../components/Table";
import { groupByCause } from "../lib/causes";
import { count, percent, sentence } from "../lib/format";
import { overallFraction } from "../lib/progress";
import { go } from "../lib/router";
import { isOver } from "../lib/words";
import { byName } from "../state/reduce";
import { snapshot, watchRefetch, watchTasks } from "../state/store";
import { Counts, jobTitle } from "./Jobs";
import { useAction } from "../components/useAction";
import { CancelDialog } from "./jobs/CancelDialog";
import { taskColumns } from "./jobs/columns";
import { TaskLogDialog } from "./jobs/TaskLogDialog";
import { InstallDialog } from "./nodes/InstallDialog";
import { PowerDialog } from "./nodes/PowerDialog";

const asksAgain: ReadonlySet<JobKind> = new Set<JobKind>(["install", "reboot", "shutdown"]);

/** The job's tasks, live; null: not read yet. */
function useTasks(id: string): { tasks: TaskView[] | null; error: string; put: (tasks: TaskView[]) => void } {
  const [tasks, setTasks] = useState<ReadonlyMap<string, TaskView> | null>(null);
  const [error, setError] = useState("");
  const put = (some: TaskView[]) => setTasks((before) => new Map([...(before ?? []), ...some.map((t) => [t.id, t] as const)]));
  useEffect(() => {
    let over = false;
    const load = () =>
      api.job(id).then(
        (detail) => over || setTasks(new Map(detail.tasks.map((t) => [t.id, t]))),
        (e: Error) => over || setError(e.message),
      );
    void load();
    const stops = [
      watchRefetch(() => void load()),
      watchTasks((changed) => {
        const ours = changed.filter((t) => t.jobId === id);
        if (ours.length > 0) put(ours);
      }),
    ];
    return () => {
      over = true;
      for (const stop of stops) stop();
    };
  }, [id]);
  const sorted = useMemo(
    () => (tasks === null ? null : [...tasks.values()].sort((a, b) => byName({ name: a.nodeName }, { name: b.nodeName }))),
    [tasks],
  );
  return { tasks: sorted, error, put };
}

export function JobPage({ id }: { id: string }) {
  const { tasks, error, put } = useTasks(id);
  const job = snapshot.value.jobs.get(id);
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
  if (job === undefined || tasks === null) return <p class="dim">Reading …</p>;
  return <OneJob job={job} tasks={tasks} put={put} />;
}

function OneJob({ job, tasks, put }: { job: JobView; tasks: TaskView[]; put: (tasks: TaskView[]) => void }) {
  const [cancelling, setCancelling] = useState<TaskView[] | null>(null);
  const [log, setLog] = useState<TaskView | null>(null);
  const [columns] = useState(() => taskColumns((task) => setCancelling([task]), setLog));
  const [again, setAgain] = useState<NodeView[] | null>(null);
  const { busy, error, run } = useAction();
  const failed = tasks.filter((t) => t.state === "failed" || t.state === "timed-out");
  const open = tasks.filter((t) => !isOver(t.state));
  const fraction = tasks.reduce((sum, t) => sum + (isOver(t.state) ? 1 : overallFraction(t)), 0) / Math.max(1, tasks.length);

  async function cancel(): Promise<void> {
    const chosen = cancelling ?? [];
    if (chosen.length === open.length && chosen.length > 1) put((await api.cancelJob(job.id)).tasks);
    else for (const task of chosen) await api.cancelTask(task.id);
  }

  /** Whatever erases disks or stops nodes is asked for once more. */
  function retry(): void {
    if (asksAgain.has(job.kind)) setAgain(failed.flatMap((t) => snapshot.value.nodes.get(t.node) ?? []));
    else void run(async () => go(`/jobs/${(await api.retryJob(job.id)).job.id}`));
  }

  return (
    <>
      <p class="crumbs">
        <a href="/jobs">Jobs</a> /
      </p>
      <div class="page-head">
        <h1>{jobTitle(job)}</h1>
        <Counts job={job} />
        <span class="dim">
          {count(tasks.length, "node")}, ordered <Ago at={job.createdAt} />
          {job.createdBy === "policy" && " by the policy for new boards"}
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
        <span class="end button-row">
          {failed.length > 0 && (
            <button type="button" disabled={busy} onClick={retry}>
              Order again for the {failed.length} that failed{asksAgain.has(job.kind) && " …"}
            </button>
          )}
          {open.length > 0 && (
            <button type="button" disabled={busy} onClick={() => void run(async () => put((await (job.paused ? api.resumeJob : api.pauseJob)(job.id)).tasks))}>
              {job.paused ? "Resume" : "Pause"}
            </button>
          )}
          {open.length > 1 && (
            <button type="button" onClick={() => setCancelling(open)}>
              Cancel all {open.length} …
            </button>
          )}
        </span>
      </div>
      {open.length > 0 && (
        <div class="job-progress">
          <Bar fraction={fraction} label="Whole job" />
          <span class="number">{percent(fraction)}</span>
        </div>
      )}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {job.paused && !job.ended && <Notice tone="warn">Paused: nothing more begins. What nodes work on goes on.</Notice>}
      {job.note !== "" && !job.paused && <Notice tone={job.ended ? "bad" : "warn"}>{sentence(job.note)}</Notice>}
      <Failures tasks={tasks} />
      <Table label="Tasks" columns={columns} rows={tasks} keyOf={(t) => t.id} nameOf={(t) => t.nodeName} />
      {cancelling && <CancelDialog tasks={cancelling} onCancel={cancel} onClose={() => setCancelling(null)} />}
      {again && again.length > 0 && job.kind === "install" && <InstallDialog targets={again} retryOf={job} onClose={() => setAgain(null)} />}
      {again && again.length > 0 && (job.kind === "reboot" || job.kind === "shutdown") && <PowerDialog kind={job.kind} targets={again} retryOf={job} onClose={() => setAgain(null)} />}
      {log && <TaskLogDialog task={log} onClose={() => setLog(null)} />}
    </>
  );
}

/** What went wrong, each cause once, with those whom it met. */
function Failures({ tasks }: { tasks: TaskView[] }) {
  return (
    <>
      {groupByCause(tasks).map(({ cause, tasks: met }) => (
        <Notice tone="bad" key={cause}>
          <strong>{count(met.length, "node")}</strong>: {cause || "no reason was given"}
          <p class="names">
            {met.map((t, i) => (
              <>
                {i > 0 && ", "}
                <a href={`/nodes/${t.node}`}>{t.nodeName}</a>
              </>
            ))}
          </p>
        </Notice>
      ))}
    </>
  );
}
