import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobKind, JobParameters, NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { count } from "../../lib/format";
import { go } from "../../lib/router";

export interface WorkTargets {
  targets: readonly NodeView[];
  onClose: () => void;
}

interface WorkProps extends WorkTargets {
  kind: JobKind;
  title: string;
  button: string;
  ready: boolean;
  /** What is ordered; it may need something done first. */
  parameters: () => JobParameters | Promise<JobParameters>;
  children: ComponentChildren;
}

/** Orders work on nodes that run their systems. */
export function WorkDialog({ kind, title, button, ready, targets, parameters, onClose, children }: WorkProps) {
  // What the reader saw is what is ordered: nodes that come meanwhile are not slipped in.
  const [nodes] = useState(targets);
  const { busy, error, run } = useAction();
  const offline = nodes.filter((n) => n.link === "offline").length;
  const inNetInst = nodes.filter((n) => n.link === "net-inst").length;

  async function order(): Promise<void> {
    const detail = await api.order({ kind, nodes: nodes.map((n) => n.id), parameters: await parameters() });
    onClose();
    go(`/jobs/${detail.job.id}`);
  }

  return (
    <Dialog title={`${title} ${nodes.length === 1 ? nodes[0]!.name : count(nodes.length, "node")}`} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run(order);
        }}
      >
        {children}
        {nodes.length > 1 && <p class="names">{nodes.map((n) => n.name).join(", ")}</p>}
        {offline > 0 && <Notice tone="warn">{offline} of them offline: the order waits until they come, or you cancel it.</Notice>}
        {inNetInst > 0 && <Notice tone="warn">{inNetInst} have no operating system and will fail.</Notice>}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy || !ready}>
            {button}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
