import type { ComponentChildren } from "preact";
import { api } from "../../api/client";
import type { NodeView, UnapprovedBoard } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { bytes, memory, shortKey } from "../../lib/format";
import { readUnapproved, unapproved } from "../../state/store";

/** Boards with other keys say that they are this node: a person sees both and decides. */
export function Approvals({ node }: { node: NodeView }) {
  return (
    <>
      {unapproved.value
        .filter((board) => board.id === node.id || board.holder === node.id)
        .map((board) => (
          <Approval node={node} board={board} key={board.key} />
        ))}
    </>
  );
}

function headline(node: NodeView, board: UnapprovedBoard): string {
  if (board.id !== node.id) return `The card of ${node.name} is in another board, ${board.id}.`;
  return node.key === board.key
    ? `${node.name} asks to be admitted again: ${board.reason}.`
    : `A board with another key says that it is ${node.name}.`;
}

/** What an approval does, and who else would ask for it. */
function consequence(node: NodeView, board: UnapprovedBoard): string {
  if (board.id !== node.id)
    return (
      `Approved, the key is ${board.claims?.name ?? board.id} from then on, and ${node.name} has none any more. ` +
      "A copy of the card asks in the same way."
    );
  if (node.key === board.key) return "Whoever has its card asks in the same way.";
  return (
    "That is so when its card was exchanged or written by somebody else. " +
    `It is also what an impostor does: what is approved receives all that is meant for ${node.name}.`
  );
}

const said = (words: string) => (words === "" ? "has not said" : words);

function Approval({ node, board }: { node: NodeView; board: UnapprovedBoard }) {
  const { busy, error, run } = useAction();
  const decide = (decision: () => Promise<unknown>) =>
    void run(async () => {
      await decision();
      await readUnapproved();
    });
  const disks = (inventory: NodeView["inventory"]) =>
    inventory.disks.map((d) => `${d.model || d.name}, ${bytes(d.sizeBytes)}`).join("; ") || "none";
  const macs = (inventory: NodeView["inventory"]) => inventory.interfaces.map((i) => i.mac).join(", ");

  return (
    <Notice tone="warn">
      <p>
        <strong>{headline(node, board)}</strong> {consequence(node, board)}
      </p>
      <table class="compare">
        <thead>
          <tr>
            <td />
            <th scope="col">{node.name} so far</th>
            <th scope="col">The board that asks</th>
          </tr>
        </thead>
        <tbody>
          <Line title="Key" before={<Key of={node.key} />} after={<Key of={board.key} />} />
          <Line title="Seen at" before={node.address ?? "–"} after={board.address} />
          <Line
            title="Last seen"
            before={node.link === "offline" ? <Ago at={node.lastSeen} /> : "connected now"}
            after={<Ago at={board.lastSeen} />}
          />
          <Line title="Model" before={node.inventory.model} after={said(board.inventory.model)} />
          <Line
            title="Memory"
            before={memory(node.inventory.memoryBytes)}
            after={board.inventory.memoryBytes === 0 ? "has not said" : memory(board.inventory.memoryBytes)}
          />
          <Line title="MAC addresses" before={macs(node.inventory)} after={said(macs(board.inventory))} />
          <Line title="Disks" before={disks(node.inventory)} after={disks(board.inventory)} />
        </tbody>
      </table>
      {error !== "" && <p class="bad-text">{error}</p>}
      <Allowed role="operator" what="Approving it">
        <div class="actions">
          <button type="button" disabled={busy} onClick={() => decide(() => api.approve([board]))}>
            Approve the key {shortKey(board.key)}
          </button>
          <button type="button" disabled={busy} title="It is not listed for a day" onClick={() => decide(() => api.reject(board.key))}>
            Reject
          </button>
        </div>
      </Allowed>
    </Notice>
  );
}

function Line({ title, before, after }: { title: string; before: ComponentChildren; after: ComponentChildren }) {
  return (
    <tr>
      <th scope="row">{title}</th>
      <td>{before}</td>
      <td class={before === after || title === "Last seen" ? "" : "differs"}>{after}</td>
    </tr>
  );
}

function Key({ of }: { of: string | undefined }) {
  return of === undefined ? <>none</> : <code title={of}>{shortKey(of)}</code>;
}
