import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobView, NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { EraseList } from "../../components/EraseList";
import { Notice } from "../../components/Notice";
import { TypedConfirmation } from "../../components/TypedConfirmation";
import { useAction } from "../../components/useAction";
import { confirmed } from "../../lib/confirm";
import { count } from "../../lib/format";
import { holdSeconds } from "../../lib/hold";
import { usesSlot } from "../../lib/install";
import { go } from "../../lib/router";
import { snapshot } from "../../state/store";

interface Props {
  /** The job that is ordered again, with its image and its plan. */
  job: JobView;
  /** Those that failed in it. */
  targets: readonly NodeView[];
  /** It is for this node alone. */
  only?: NodeView;
  onClose: () => void;
}

/** Installs again what failed, after the same question as before. */
export function InstallAgainDialog({ job, targets, only, onClose }: Props) {
  // What the reader saw is what is ordered.
  const [nodes] = useState(targets);
  const [typed, setTyped] = useState("");
  const { busy, error, run } = useAction();
  const image = snapshot.value.images.get(job.image ?? "");
  const keeps = job.parameters?.update === true;
  const sparesSlots = keeps && job.parameters?.whole !== true;

  async function order(): Promise<void> {
    const detail = await api.retryJob(job.id, holdSeconds, only?.id);
    onClose();
    go(`/jobs/${detail.job.id}`);
  }

  return (
    <Dialog title={`Install ${image?.name ?? ""} again on ${count(nodes.length, "node")}`} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run(order);
        }}
      >
        {image === undefined && <Notice tone="warn">The image of this job was deleted: choose another one for these nodes.</Notice>}
        <h3>What will be erased{keeps && ", but for what is kept"}</h3>
        <EraseList nodes={nodes} image={image} update={sparesSlots} />
        <TypedConfirmation
          count={nodes.length}
          keeps={keeps}
          slots={nodes.filter((n) => usesSlot(n, image, sparesSlots)).length}
          typed={typed}
          onType={setTyped}
        />
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="danger" disabled={busy || image === undefined || !confirmed(typed, String(nodes.length))}>
            Erase and install
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
