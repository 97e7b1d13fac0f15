import { ConfirmDialog } from "../../components/ConfirmDialog";
import { type Cancellable, cancelConsequence } from "../../lib/cancel";
import { count } from "../../lib/format";
import { nodes } from "../../state/store";

interface Props {
  tasks: readonly Cancellable[];
  onCancel: () => Promise<void>;
  onClose: () => void;
}

/** Says what state the disks will be in before anything is given up. */
export function CancelDialog({ tasks, onCancel, onClose }: Props) {
  return (
    <ConfirmDialog
      title={tasks.length === 1 ? `Cancel on ${tasks[0]!.nodeName}?` : `Cancel on ${count(tasks.length, "node")}?`}
      keep="Let it go on"
      confirm={tasks.length === 1 ? "Cancel the task" : "Cancel the tasks"}
      onConfirm={onCancel}
      onClose={onClose}
    >
      <ul class="erase">
        {tasks.map((task) => (
          <li key={task.id}>
            <strong>{task.nodeName}</strong>
            <span>
              {cancelConsequence(
                task,
                nodes.value.some((n) => n.name === task.nodeName && n.link === "slave"),
              )}
            </span>
          </li>
        ))}
      </ul>
      <p class="dim">The node has the last word: its task then says what became of its disk.</p>
    </ConfirmDialog>
  );
}
