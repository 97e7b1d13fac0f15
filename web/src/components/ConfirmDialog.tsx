import type { ComponentChildren } from "preact";
import { Dialog } from "./Dialog";
import { Notice } from "./Notice";
import { useAction } from "./useAction";

interface Props {
  title: string;
  /** The way out, in the reader's words. */
  keep: string;
  /** What is done, in the reader's words. */
  confirm: string;
  /** Does it. What it is refused with is shown, and the dialog stays. */
  onConfirm: () => Promise<void>;
  onClose: () => void;
  children: ComponentChildren;
}

/** Asks before something that cannot be taken back. */
export function ConfirmDialog({ title, keep, confirm, onConfirm, onClose, children }: Props) {
  const { busy, error, run } = useAction();
  return (
    <Dialog title={title} onClose={onClose}>
      {children}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <footer>
        <button type="button" onClick={onClose}>
          {keep}
        </button>
        <button
          type="button"
          class="danger"
          disabled={busy}
          onClick={() =>
            void run(async () => {
              await onConfirm();
              onClose();
            })
          }
        >
          {confirm}
        </button>
      </footer>
    </Dialog>
  );
}
