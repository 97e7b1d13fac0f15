import type { JobView, TaskState } from "../../api/types";
import { TaskBadge } from "../../components/Badge";

const order: TaskState[] = ["running", "sent", "waiting", "held", "failed", "timed-out", "cancelled", "skipped", "succeeded"];

/** How many tasks of a job are in each state; each leads to those tasks. */
export function Counts({ job, chosen = "" }: { job: JobView; chosen?: string }) {
  return (
    <span class="counts">
      {order.map((state) => {
        const n = job.counts[state];
        if (n === undefined || n === 0) return null;
        return (
          <a
            key={state}
            href={`/jobs/${job.id}${state === chosen ? "" : `?state=${state}`}`}
            aria-current={state === chosen ? "true" : undefined}
          >
            <TaskBadge state={state} count={n} />
          </a>
        );
      })}
    </span>
  );
}
