import type { ImageView, NodeView } from "../api/types";
import { bytes } from "../lib/format";
import { installTarget } from "../lib/words";

/** Which disk of which node loses what. */
export function EraseList({ nodes, image }: { nodes: readonly NodeView[]; image: ImageView | undefined }) {
  return (
    <ul class="erase" aria-label="Disks that will be erased" tabIndex={0}>
      {nodes.map((node) => (
        <Erased node={node} image={image} key={node.id} />
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

function Erased({ node, image }: { node: NodeView; image: ImageView | undefined }) {
  const target = installTarget(node);
  return (
    <li>
      <strong>{node.name}</strong>
      {"problem" in target ? (
        <span class="bad-text">{target.problem}</span>
      ) : (
        <>
          <span>
            {target.disk.name}, {bytes(target.disk.sizeBytes)} {target.disk.model === "" ? target.disk.kind : target.disk.model}, loses {holds(node)}
          </span>
          {image && target.disk.sizeBytes < image.sizeBytes && <span class="bad-text">too small for this image: will be refused</span>}
        </>
      )}
      {node.link === "offline" && <span class="warn-text">offline: starts when the node comes</span>}
      {node.task && <span class="warn-text">busy: starts after its present task</span>}
    </li>
  );
}
