import type { ImageView, NodeView } from "../api/types";
import { bytes } from "../lib/format";
import { usesSlot } from "../lib/install";
import { installTarget } from "../lib/words";

interface Props {
  nodes: readonly NodeView[];
  image: ImageView | undefined;
  /** What people have is kept, and of two slots one is. */
  update?: boolean;
}

/** Which disk of which node loses what. */
export function EraseList({ nodes, image, update = false }: Props) {
  return (
    <ul class="erase" aria-label="Disks that will be erased" tabIndex={0}>
      {nodes.map((node) => (
        <Erased node={node} image={image} usesSlot={usesSlot(node, image, update)} key={node.id} />
      ))}
    </ul>
  );
}

/** What is on the disk now, as far as it is known. */
function holds(node: NodeView): string {
  const runs = node.link === "slave" ? node.inventory.system : "";
  if (node.imageName !== undefined) return runs === "" ? node.imageName : `${node.imageName} (runs ${runs})`;
  return runs !== "" ? `${runs}, which runs now` : "whatever is on it";
}

function Erased({ node, image, usesSlot }: { node: NodeView; image: ImageView | undefined; usesSlot: boolean }) {
  const target = installTarget(node);
  return (
    <li>
      <strong>{node.name}</strong>
      {"problem" in target ? (
        <span class="bad-text">{target.problem}</span>
      ) : (
        <>
          <span>
            {target.disk.name}, {bytes(target.disk.sizeBytes)} {target.disk.model === "" ? target.disk.kind : target.disk.model}
            {usesSlot
              ? `, writes slot ${node.inventory.slot === "a" ? "b" : "a"}; what runs in slot ${node.inventory.slot} stays, ` +
                "and starts again if the new system does not report in"
              : `, loses ${holds(node)}`}
          </span>
          {image && target.disk.sizeBytes < image.sizeBytes && <span class="bad-text">too small for this image: will be refused</span>}
        </>
      )}
      {node.link === "offline" && <span class="warn-text">offline: starts when the node comes</span>}
      {node.task && <span class="warn-text">busy: starts after its present task</span>}
    </li>
  );
}
