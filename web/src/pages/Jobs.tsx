import { useMemo } from "preact/hooks";
import type { JobView, TaskState } from "../api/types";
import { Ago } from "../components/Ago";
import { TaskBadge } from "../components/Badge";
import { Empty } from "../components/Notice";
import { Table, type Column } from "../components/Table";
import { count } from "../lib/format";
import { kindWords, parameterWords } from "../lib/words";
import { jobs } from "../state/store";

const order: TaskState[] = ["running", "sent", "waiting", "held", "failed", "timed-out", "cancelled", "skipped", "succeeded"];

/** How many tasks of a job are in each state. */
export function Counts({ job }: { job: JobView }) {
  return (
    <span class="counts">
      {order.map((state) => {
        const n = job.counts[state];
        return n === undefined || n === 0 ? null : <TaskBadge state={state} count={n} key={state} />;
      })}
    </span>
  );
}

export function jobTitle(job: JobView): string {
  if (job.kind === "install") return `Install ${job.imageName ?? job.image?.slice(0, 12) ?? ""}`;
  return [kindWords[job.kind], parameterWords(job)].filter((words) => words !== "").join(" ");
}

const columns: readonly Column<JobView>[] = [
  {
    id: "name",
    title: "Job",
    width: "minmax(10rem, 1.5fr)",
    cell: (j) => (
      <a class="name" href={`/jobs/${j.id}`}>
        {jobTitle(j)}
        {j.paused && !j.ended && <span class="dim"> (paused)</span>}
      </a>
    ),
  },
  { id: "nodes", title: "Nodes", width: "5rem", align: "end", cell: (j) => Object.values(j.counts).reduce((a, b) => a + b, 0) },
  { id: "counts", title: "Tasks", width: "minmax(12rem, 2fr)", cell: (j) => <Counts job={j} /> },
  { id: "by", title: "Ordered by", width: "8rem", cell: (j) => j.schedule ?? (j.createdBy === "policy" ? "policy" : "a person or program"), minor: true },
  { id: "at", title: "Ordered", width: "8rem", cell: (j) => <Ago at={j.createdAt} /> },
];

export function JobsPage() {
  const all = jobs.value;
  const sorted = useMemo(() => [...all.filter((j) => !j.ended), ...all.filter((j) => j.ended)], [all]);
  if (all.length === 0) {
    return (
      <Empty title="No jobs yet">
        <p>
          A job is one order to some nodes: install, update, run a command, reboot or shut down. Select <a href="/nodes">nodes</a> and give one; here you see
          what becomes of it on each. Orders that come again and again are <a href="/schedules">schedules</a>.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>Jobs</h1>
        <span class="dim">
          {count(all.length, "job")}, {all.filter((j) => !j.ended).length} under way
        </span>
      </div>
      <Table label="Jobs" columns={columns} rows={sorted} keyOf={(j) => j.id} />
    </>
  );
}
