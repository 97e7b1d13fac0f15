import { useCallback, useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobView, LogLine, TaskView } from "../../api/types";
import { LogView } from "../../components/LogView";

/** What all nodes of a job say, as it comes: of a command at once, of other jobs where it is asked for. */
export function OutputPart({ job, tasks }: { job: JobView; tasks: readonly TaskView[] }) {
  const [shown, setShown] = useState(job.kind === "run");
  const names = useMemo(() => new Map(tasks.map((t) => [t.id, t.nodeName])), [tasks.map((t) => t.id + t.nodeName).join()]);
  const read = useCallback(() => api.jobLog(job.id), [job.id]);
  const belongs = useCallback((line: LogLine) => line.task !== undefined && names.has(line.task), [names]);
  const nameOf = useCallback((line: LogLine) => names.get(line.task ?? "") ?? line.node, [names]);
  if (!shown) {
    return (
      <p>
        <button type="button" onClick={() => setShown(true)}>
          Show what all nodes say
        </button>
      </p>
    );
  }
  return (
    <section class="card" aria-label="Output">
      <h2>Output of all nodes</h2>
      <LogView read={read} belongs={belongs} file={`${job.kind}-${job.id}.log`} nameOf={nameOf} />
    </section>
  );
}
