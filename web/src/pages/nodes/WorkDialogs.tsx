import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobKind, JobParameters, NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { count } from "../../lib/format";
import { words } from "../../lib/packages";
import { go } from "../../lib/router";

interface Props {
  targets: readonly NodeView[];
  onClose: () => void;
}

/** Orders a shell line. */
export function RunDialog({ targets, onClose }: Props) {
  const [shell, setShell] = useState("");
  const [user, setUser] = useState("root");
  const [folder, setFolder] = useState("/");
  const [minutes, setMinutes] = useState(60);
  return (
    <WorkDialog
      kind="run"
      title="Run a command on"
      button="Run"
      ready={shell.trim() !== ""}
      targets={targets}
      parameters={{ shell, user, folder, timeoutSeconds: Math.round(minutes * 60) }}
      onClose={onClose}
    >
      <label class="field">
        <span>Line for the node's shell</span>
        <textarea rows={3} required autoFocus spellcheck={false} value={shell} onInput={(e) => setShell(e.currentTarget.value)} />
      </label>
      <p class="dim">It is stored with the job and shown there: no passwords in it.</p>
      <label class="field">
        <span>User</span>
        <input type="text" required spellcheck={false} autoCapitalize="off" value={user} onInput={(e) => setUser(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Folder</span>
        <input type="text" required spellcheck={false} value={folder} onInput={(e) => setFolder(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Minutes after which it is ended</span>
        <input type="number" required min={1} max={1440} value={minutes} onInput={(e) => setMinutes(e.currentTarget.valueAsNumber)} />
      </label>
    </WorkDialog>
  );
}

/** Orders an update of all packages, or of some. */
export function UpdateDialog({ targets, onClose }: Props) {
  const [packages, setPackages] = useState("");
  return (
    <WorkDialog kind="update" title="Update packages on" button="Update" ready targets={targets} parameters={{ packages: words(packages) }} onClose={onClose}>
      <p>Each node's own package manager fetches its lists and upgrades what is installed. Nothing restarts by itself; the job says where it is needed.</p>
      <label class="field">
        <span>Only these packages (none: all)</span>
        <input type="text" spellcheck={false} autoCapitalize="off" value={packages} onInput={(e) => setPackages(e.currentTarget.value)} />
      </label>
    </WorkDialog>
  );
}

interface WorkProps {
  kind: JobKind;
  title: string;
  button: string;
  ready: boolean;
  targets: readonly NodeView[];
  parameters: JobParameters;
  onClose: () => void;
  children: ComponentChildren;
}

function WorkDialog({ kind, title, button, ready, targets, parameters, onClose, children }: WorkProps) {
  // What the reader saw is what is ordered: nodes that come meanwhile are not slipped in.
  const [nodes] = useState(targets);
  const { busy, error, run } = useAction();
  const offline = nodes.filter((n) => n.link === "offline").length;
  const inNetInst = nodes.filter((n) => n.link === "net-inst").length;

  async function order(): Promise<void> {
    const detail = await api.order(kind, nodes.map((n) => n.id), undefined, parameters);
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
        {inNetInst > 0 && <Notice tone="warn">{inNetInst} of them in NetInst, without a system to do this in: it fails there.</Notice>}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Leave them alone
          </button>
          <button type="submit" class="primary" disabled={busy || !ready}>
            {button}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
