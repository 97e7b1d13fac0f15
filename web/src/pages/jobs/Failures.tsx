import type { TaskView } from "../../api/types";
import { Notice } from "../../components/Notice";
import { groupByCause } from "../../lib/causes";
import { count } from "../../lib/format";
import { taskWords } from "../../lib/words";

/** So many nodes are named at once. */
const named = 20;

/** What went wrong, each cause once, with those whom it met. */
export function Failures({ tasks, showLog }: { tasks: readonly TaskView[]; showLog: (task: TaskView) => void }) {
  return (
    <>
      {groupByCause(tasks).map(({ state, cause, varies, tasks: met }) => (
        <Notice tone={state === "skipped" ? "warn" : "bad"} key={state + cause}>
          <strong>
            {count(met.length, "node")}
            {state !== "failed" && ` ${taskWords[state].toLowerCase()}`}
          </strong>
          : {cause || "no reason was given"}
          {varies && <span class="dim"> (the same with other numbers on some)</span>}
          <p>
            {met.slice(0, named).map((t, i) => (
              <Met key={t.id} task={t} first={i === 0} />
            ))}
            {met.length > named && (
              <details>
                <summary>and {met.length - named} more</summary>
                {met.slice(named).map((t, i) => (
                  <Met key={t.id} task={t} first={i === 0} />
                ))}
              </details>
            )}
          </p>
          {state !== "skipped" && (
            <button type="button" class="small" onClick={() => showLog(met[0]!)}>
              Log of {met[0]!.nodeName}
              {met.length > 1 && ", the first of them"}
            </button>
          )}
        </Notice>
      ))}
    </>
  );
}

function Met({ task, first }: { task: TaskView; first: boolean }) {
  return (
    <>
      {!first && ", "}
      <a href={`/nodes/${task.node}`} title={task.cause}>
        {task.nodeName}
      </a>
    </>
  );
}
