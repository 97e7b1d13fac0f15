import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { cancelConsequence, type Cancellable } from "../../lib/cancel";
import { count } from "../../lib/format";

interface Props {
  tasks: readonly Cancellable[];
  busy: boolean;
  error: string;
  onCancel: () => void;
  onClose: () => void;
}

/** Says what state the disks will be in before anything is given up. */
export function CancelDialog({ tasks, busy, error, onCancel, onClose }: Props) {
  return (
    <Dialog title={tasks.length === 1 ? `Cancel on ${tasks[0]!.nodeName}?` : `Cancel on ${count(tasks.length, "node")}?`} onClose={onClose}>
      <ul class="erase">
        {tasks.map((task) => (
          <li key={task.id}>
            <strong>{task.nodeName}</strong>
            <span>{cancelConsequence(task)}</span>
          </li>
        ))}
      </ul>
      <p class="dim">The node has the last word: its task then says what became of its disk.</p>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <footer>
        <button type="button" onClick={onClose}>
          Let it go on
        </button>
        <button type="button" class="danger" disabled={busy} onClick={onCancel}>
          {tasks.length === 1 ? "Cancel the task" : "Cancel the tasks"}
        </button>
      </footer>
    </Dialog>
  );
}
