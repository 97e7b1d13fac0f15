import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { go } from "../../lib/router";

export function ForgetDialog({ node, onClose }: { node: NodeView; onClose: () => void }) {
  const { busy, error, run } = useAction();
  return (
    <Dialog title={`Forget ${node.name}?`} onClose={onClose}>
      <p>
        Its name, its log and its tasks are removed here, and its certificate is void at once. Its disk stays as it is. When it boots from the
        network again it appears as a new board.
      </p>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <footer>
        <button type="button" onClick={onClose}>
          Keep it
        </button>
        <button
          type="button"
          class="danger"
          disabled={busy}
          onClick={() =>
            void run(async () => {
              await api.forget(node.id);
              onClose();
              go("/nodes");
            })
          }
        >
          Forget
        </button>
      </footer>
    </Dialog>
  );
}
