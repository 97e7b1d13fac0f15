import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { count } from "../../lib/format";
import { go } from "../../lib/router";

const words = {
  reboot: { title: "Reboot", button: "Reboot now", note: "Programs on these nodes are stopped as the system does it. Each counts as done when it is back with a new start." },
  shutdown: { title: "Shut down", button: "Shut down now", note: "Most boards can only be started again by hand: press a button, or take the power away and give it back." },
};

export function PowerDialog({ kind, targets, onClose }: { kind: "reboot" | "shutdown"; targets: readonly NodeView[]; onClose: () => void }) {
  const [nodes] = useState(targets);
  const { busy, error, run } = useAction();
  const offline = nodes.filter((n) => n.link === "offline").length;
  const { title, button, note } = words[kind];

  async function order(): Promise<void> {
    const detail = await api.order(kind, nodes.map((n) => n.id));
    onClose();
    go(`/jobs/${detail.job.id}`);
  }

  return (
    <Dialog title={`${title} ${nodes.length === 1 ? nodes[0]!.name : count(nodes.length, "node")}?`} onClose={onClose}>
      <p>{note}</p>
      {nodes.length > 1 && <p class="names">{nodes.map((n) => n.name).join(", ")}</p>}
      {offline > 0 && <Notice tone="warn">{offline} of them offline: the order waits until they come, or you cancel it.</Notice>}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <footer>
        <button type="button" onClick={onClose}>
          Leave them running
        </button>
        <button type="button" class="danger" disabled={busy} onClick={() => void run(order)}>
          {button}
        </button>
      </footer>
    </Dialog>
  );
}
