import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeTask, NodeView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { TaskBadge } from "../../components/Badge";
import { Bar, measureLine, phaseLine } from "../../components/Progress";
import { phaseFraction } from "../../lib/progress";
import { CancelDialog } from "../jobs/CancelDialog";
import { installPhases, kindWords, phaseWords } from "../../lib/words";

/** What is being done to the node: phases, how far, how fast, how long still. */
export function CurrentTask({ node, task }: { node: NodeView; task: NodeTask }) {
  const [cancelling, setCancelling] = useState(false);

  const running = task.state === "running";
  return (
    <section class="card" aria-label="Current task">
      <div class="card-head">
        <h2>{kindWords[task.kind]}</h2>
        <TaskBadge state={task.state} />
        <a href={`/jobs/${task.jobId}`}>Job</a>
        <Allowed role="operator">
          <button type="button" class="small end" onClick={() => setCancelling(true)}>
            Cancel …
          </button>
        </Allowed>
      </div>
      {task.kind === "install" && <Steps phase={task.phase} />}
      {running && task.phase !== "" ? (
        <>
          <Bar fraction={phaseFraction(task)} label={phaseWords(task.phase)} />
          <p class="measure">
            <span>{phaseLine(task)}</span>
            <span class="dim">{measureLine(task)}</span>
          </p>
        </>
      ) : (
        <p class="dim">{task.state === "waiting" ? (node.link === "offline" ? "Starts when the node connects." : "Starts in a moment, or after what the node does first.") : "On its way to the node."}</p>
      )}
      {cancelling && (
        <CancelDialog
          tasks={[{ ...task, nodeName: node.name }]}
          onCancel={() => api.cancelTask(task.id)}
          onClose={() => setCancelling(false)}
        />
      )}
    </section>
  );
}

function Steps({ phase }: { phase: string }) {
  const at = installPhases.findIndex((p) => p === (phase === "trying" || phase === "confirming" ? "starting" : phase));
  return (
    <ol class="steps" aria-label="Phases">
      {installPhases.map((p, i) => (
        <li key={p} class={i < at ? "past" : i === at ? "present" : ""} aria-current={i === at ? "step" : undefined}>
          {phaseWords(p)}
        </li>
      ))}
    </ol>
  );
}
