import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobView, NodeView } from "../../api/types";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { GraceField } from "../../components/GraceField";
import { Notice } from "../../components/Notice";
import { count } from "../../lib/format";
import { holdSeconds } from "../../lib/hold";
import { go } from "../../lib/router";

const words = {
  reboot: {
    title: "Reboot",
    button: "Reboot now",
    note: "Programs on these nodes are stopped as the system does it. Each is done once it reconnects after the restart.",
  },
  firmware: {
    title: "Update the boot firmware of",
    button: "Update and restart",
    note:
      "A Raspberry Pi with an EEPROM (4, 400, 5, 500, Compute Modules 4 and 5) gets the newest boot firmware that its package rpi-eeprom " +
      "has, and restarts: one node after the other, and no more after the first failure. A node refuses while its supply is weak, it is " +
      "too hot, or it runs on a battery.",
  },
  shutdown: {
    title: "Shut down",
    button: "Shut down now",
    note: "Most boards can only be started again by hand: press a button, or take the power away and give it back.",
  },
};

interface Props {
  kind: "reboot" | "shutdown" | "firmware";
  targets: readonly NodeView[];
  /** The job that is ordered again, with its plan, for these nodes that failed in it. */
  retryOf?: JobView;
  /** It is for this node alone. */
  only?: NodeView;
  onClose: () => void;
}

export function PowerDialog({ kind, targets, retryOf, only, onClose }: Props) {
  const [nodes] = useState(targets);
  const [grace, setGrace] = useState(0);
  const [message, setMessage] = useState("");
  const [powerChecked, setPowerChecked] = useState(false);
  const offline = nodes.filter((n) => n.link === "offline").length;
  const { title, button, note } = words[kind];

  async function order(): Promise<void> {
    const parameters = { ...(grace > 0 && { graceSeconds: grace, message }), ...(powerChecked && { powerChecked }) };
    const detail = retryOf
      ? await api.retryJob(retryOf.id, holdSeconds, only?.id)
      : await api.order({ kind, nodes: nodes.map((n) => n.id), holdSeconds, ...(Object.keys(parameters).length > 0 && { parameters }) });
    go(`/jobs/${detail.job.id}`);
  }

  return (
    <ConfirmDialog
      title={`${title} ${nodes.length === 1 ? nodes[0]!.name : count(nodes.length, "node")}?`}
      keep="Leave them running"
      confirm={button}
      onConfirm={order}
      onClose={onClose}
    >
      <p>{note}</p>
      {nodes.length > 1 && <p class="names">{nodes.map((n) => n.name).join(", ")}</p>}
      {!retryOf && (
        <GraceField
          grace={grace}
          message={message}
          onChange={(change) => {
            setGrace(change.grace ?? grace);
            setMessage(change.message ?? message);
          }}
        />
      )}
      {kind === "firmware" && !retryOf && (
        <label class="choice">
          <input type="checkbox" checked={powerChecked} onChange={(e) => setPowerChecked(e.currentTarget.checked)} />
          <span>I have looked at their supply: go on where a node cannot measure it</span>
        </label>
      )}
      {offline > 0 && <Notice tone="warn">{offline} of them offline: the order waits until they come, or you cancel it.</Notice>}
    </ConfirmDialog>
  );
}
