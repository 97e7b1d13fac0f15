import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { go } from "../../lib/router";

export function ForgetDialog({ node, onClose }: { node: NodeView; onClose: () => void }) {
  async function forget(): Promise<void> {
    await api.forget(node.id);
    go("/nodes");
  }

  return (
    <ConfirmDialog title={`Forget ${node.name}?`} keep="Keep it" confirm="Forget" onConfirm={forget} onClose={onClose}>
      <p>
        It is removed here with its log, and its certificate is void at once; what it was to do is cancelled. The history of its jobs keeps
        its name, and its disk stays as it is. When it boots from the network again it appears as a new board.
      </p>
    </ConfirmDialog>
  );
}
