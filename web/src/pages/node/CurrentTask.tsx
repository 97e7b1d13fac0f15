import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeTask, NodeView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { TaskBadge } from "../../components/Badge";
import { TaskBar } from "../../components/Progress";
import { installPhases, kindWords, phaseWords } from "../../lib/words";
import { snapshot } from "../../state/store";
import { CancelDialog } from "../jobs/CancelDialog";

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
      {task.kind === "install" && <Steps task={task} />}
      {running && task.phase !== "" ? (
        <TaskBar task={task} label={kindWords[task.kind]} />
      ) : (
        <p class="dim">
          {task.state === "waiting"
            ? node.link === "offline"
              ? "Starts when the node connects."
              : "Starts in a moment, or after what the node does first."
            : "On its way to the node."}
        </p>
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

function Steps({ task }: { task: NodeTask }) {
  const phase = task.phase === "trying" || task.phase === "confirming" ? "starting" : task.phase;
  const phases = installPhases(snapshot.value.jobs.get(task.jobId), phase);
  const at = phases.indexOf(phase);
  return (
    <ol class="steps" aria-label="Phases">
      {phases.map((p, i) => (
        <li key={p} class={i < at ? "past" : i === at ? "present" : ""} aria-current={i === at ? "step" : undefined}>
          {phaseWords(p)}
        </li>
      ))}
    </ol>
  );
}
