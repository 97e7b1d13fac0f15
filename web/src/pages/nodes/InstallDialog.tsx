import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { ImageView, JobView, NodeView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { bytes, count } from "../../lib/format";
import { go } from "../../lib/router";
import { confirmed, confirmationWord } from "../../lib/confirm";
import { installTarget } from "../../lib/words";
import { images } from "../../state/store";

interface Props {
  targets: readonly NodeView[];
  /** The job that is ordered again, with its image and its plan, for these nodes that failed in it. */
  retryOf?: JobView;
  onClose: () => void;
}

/** Chooses an image, shows what will be erased, and asks for it to be typed. */
export function InstallDialog({ targets, retryOf, onClose }: Props) {
  // What the reader saw is what is ordered: nodes that come meanwhile are not slipped in.
  const [nodes] = useState(targets);
  const architectures = [...new Set(nodes.map((n) => n.inventory.architecture))];
  const fitting = images.value.filter((image) => architectures.every((a) => a === image.architecture) && (!retryOf || image.digest === retryOf.image));
  const [chosen, setChosen] = useState(fitting[0]?.digest ?? "");
  const [typed, setTyped] = useState("");
  const { busy, error, run } = useAction();
  const image = fitting.find((i) => i.digest === chosen);
  const word = confirmationWord(nodes);

  async function order(): Promise<void> {
    const detail = retryOf ? await api.retryJob(retryOf.id) : await api.order({ kind: "install", nodes: nodes.map((n) => n.id), image: chosen });
    onClose();
    go(`/jobs/${detail.job.id}`);
  }

  return (
    <Dialog title={`Install ${nodes.length === 1 ? nodes[0]!.name : count(nodes.length, "node")}`} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run(order);
        }}
      >
        {architectures.length > 1 ? (
          <Notice tone="warn">
            These nodes are of several architectures ({architectures.join(", ")}), and an image is for one. Select those of one first, such as
            with the filter <code>arch:{architectures[0]}</code>.
          </Notice>
        ) : fitting.length === 0 ? (
          <Notice tone="warn">
            There is no image for {architectures[0]} yet. <a href="/images">Upload one</a>.
          </Notice>
        ) : (
          <>
            <label class="field">
              <span>Image for {architectures[0]}</span>
              <select value={chosen} onChange={(e) => setChosen(e.currentTarget.value)}>
                {fitting.map((i) => (
                  <option value={i.digest} key={i.digest}>
                    {i.name} – {bytes(i.usedBytes)} to write, needs {bytes(i.sizeBytes)}
                  </option>
                ))}
              </select>
            </label>
            <h3>What will be erased</h3>
            <ul class="erase" aria-label="Disks that will be erased">
              {nodes.map((node) => (
                <Erased node={node} image={image} key={node.id} />
              ))}
            </ul>
            <label class="field">
              <span>
                Everything on {nodes.length === 1 ? "that disk" : `those ${nodes.length} disks`} will be lost. To confirm, type{" "}
                <strong class="type-this">{word}</strong>
              </span>
              <input
                type="text"
                autoComplete="off"
                autoCapitalize="off"
                spellcheck={false}
                value={typed}
                onInput={(e) => setTyped(e.currentTarget.value)}
                aria-label={`Type ${word} to confirm`}
              />
            </label>
          </>
        )}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Leave everything as it is
          </button>
          <button type="submit" class="danger" disabled={busy || image === undefined || !confirmed(typed, word)}>
            Erase and install
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

function Erased({ node, image }: { node: NodeView; image: ImageView | undefined }) {
  const target = installTarget(node);
  const holds = node.imageName === undefined ? (node.lifecycle === "new" ? "whatever is on it" : "its system") : node.imageName;
  return (
    <li>
      <strong>{node.name}</strong>
      {"problem" in target ? (
        <span class="bad-text">{target.problem}</span>
      ) : (
        <>
          <span>
            {target.disk.name}, {bytes(target.disk.sizeBytes)} {target.disk.model === "" ? target.disk.kind : target.disk.model}, loses {holds}
          </span>
          {image && target.disk.sizeBytes < image.sizeBytes && <span class="bad-text">too small for this image: will be refused</span>}
        </>
      )}
      {node.link === "offline" && <span class="warn-text">offline: starts when the node comes</span>}
      {node.task && <span class="warn-text">busy: starts after its present task</span>}
    </li>
  );
}
