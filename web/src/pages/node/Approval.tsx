import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";

/** Another key asks to be this node: a person decides. */
export function Approval({ node }: { node: NodeView }) {
  const { busy, error, run } = useAction();
  return (
    <Notice tone="warn">
      <p>
        <strong>A board with another key claims to be {node.name}.</strong> That is so when its card was exchanged or written by somebody
        else, and when it started from the network again without an order from here. It is also what an impostor on this network would
        do: whoever is let in receives what is meant for {node.name}, its keys and configuration included.
      </p>
      <p>Approve only if you know why this board comes anew. The present key ends to be good as soon as the new one is granted.</p>
      {error !== "" && <p class="bad-text">{error}</p>}
      <Allowed role="operator" what="Approving it">
        <button type="button" disabled={busy} onClick={() => void run(async () => void (await api.approve(node.id)))}>
          Approve the new key
        </button>
      </Allowed>
    </Notice>
  );
}
