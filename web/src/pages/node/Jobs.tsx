import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeJob, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { TaskBadge } from "../../components/Badge";
import { Notice } from "../../components/Notice";
import { diskWords, jobTitle, taskWords } from "../../lib/words";
import { startInstall } from "../../state/installDraft";
import { watchRefetch, watchTasks } from "../../state/store";
import { RetryButton } from "../jobs/RetryButton";

const shownAtFirst = 5;

/** What a node did and is to do, the newest first; live. Undefined: not read yet. */
export function useNodeJobs(node: NodeView) {
  const [list, setList] = useState<NodeJob[]>();
  const [error, setError] = useState("");
  useEffect(() => {
    let over = false;
    const load = () =>
      api.nodeJobs(node.id).then(
        (read) => {
          if (over) return;
          setList(read);
          setError("");
        },
        (e: Error) => over || setError(e.message),
      );
    void load();
    const stops = [
      watchRefetch(() => void load()),
      watchTasks((changed) => {
        const ours = new Map(changed.filter((t) => t.node === node.id).map((t) => [t.id, t]));
        if (ours.size === 0) return;
        setList((before) => {
          // One that is not known yet is read with its job.
          if (before === undefined || [...ours.keys()].some((id) => before.every((j) => j.task.id !== id))) void load();
          return before?.map((j) => ({ ...j, task: ours.get(j.task.id) ?? j.task }));
        });
      }),
    ];
    return () => {
      over = true;
      for (const stop of stops) stop();
    };
  }, [node.id]);
  return { list, error };
}

/** What went wrong last, with its job and a way on; nothing once something else was done, or is under way. */
export function LastFailure({ node, last }: { node: NodeView; last: NodeJob | undefined }) {
  const failed = last !== undefined && (last.task.state === "failed" || last.task.state === "timed-out");
  const broken = node.lifecycle === "unbootable" && node.task === undefined;
  if (!failed && !broken) return null;
  return (
    <Notice tone="bad">
      {last !== undefined && (failed || last.task.kind === "install") && (
        <p>
          <strong>
            {jobTitle(last.job)} {taskWords[last.task.state].toLowerCase()}
          </strong>{" "}
          <Ago at={last.task.endedAt ?? last.task.phaseAt} />
          {last.task.cause !== "" && `: ${last.task.cause}`}
        </p>
      )}
      {last?.task.note && <p>{last.task.note}</p>}
      {broken && <p>{diskWords.unbootable}.</p>}
      <p class="button-row">
        {last !== undefined && <a href={`/jobs/${last.job.id}`}>Job</a>}
        <Allowed role="operator">
          {failed && <RetryButton job={last.job} targets={[node]} only={node} label="Retry" />}
          {broken && (
            <button type="button" onClick={() => startInstall({ picked: [node.id] })}>
              Install …
            </button>
          )}
        </Allowed>
      </p>
    </Notice>
  );
}

/** All jobs that the node had a part in. */
export function JobsPart({ list, error }: ReturnType<typeof useNodeJobs>) {
  const [all, setAll] = useState(false);
  const shown = all ? list : list?.slice(0, shownAtFirst);
  return (
    <section class="card" aria-label="Jobs">
      <h2>Jobs</h2>
      {error !== "" && (
        <p class="bad-text" role="alert">
          {error}
        </p>
      )}
      {list === undefined ? (
        error === "" && <p class="dim">Reading …</p>
      ) : list.length === 0 ? (
        <p class="dim">None yet.</p>
      ) : (
        <ul class="node-jobs">
          {shown?.map(({ job, task }) => (
            <li key={task.id}>
              <TaskBadge state={task.state} />
              <span>
                <a href={`/jobs/${job.id}`}>{jobTitle(job)}</a>
                {task.cause !== "" && <span class="dim"> {task.cause}</span>}
              </span>
              <span class="dim">
                <Ago at={task.endedAt ?? task.sentAt ?? task.createdAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
      {!all && list !== undefined && list.length > shownAtFirst && (
        <button type="button" class="plain small" onClick={() => setAll(true)}>
          Show all {list.length}
        </button>
      )}
    </section>
  );
}
