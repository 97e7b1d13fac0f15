import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { UnapprovedBoard } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { Badge } from "../../components/Badge";
import { Notice } from "../../components/Notice";
import { ShortModel } from "../../components/ShortModel";
import { type Column, Table } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { count, shortKey } from "../../lib/format";
import { startInstall } from "../../state/installDraft";
import { may } from "../../state/session";
import { readUnapproved, snapshot } from "../../state/store";
import { useSelection } from "./useSelection";

interface Row {
  id: string;
  board: UnapprovedBoard;
}

const columns: readonly Column<Row>[] = [
  {
    id: "key",
    title: "Key",
    width: "11rem",
    cell: ({ board }) => (
      <code class="key" title={board.key}>
        {shortKey(board.key)}
      </code>
    ),
  },
  {
    id: "claims",
    title: "Says it is",
    width: "minmax(9rem, 1fr)",
    cell: ({ board }) => board.id,
  },
  { id: "model", title: "Model", width: "minmax(8rem, 1fr)", cell: ({ board }) => <ShortModel of={board.inventory.model} />, minor: true },
  { id: "reason", title: "Why it waits", width: "minmax(8rem, 1.4fr)", cell: ({ board }) => board.reason },
  { id: "address", title: "Address", width: "7rem", cell: ({ board }) => board.address },
  { id: "since", title: "Asks since", width: "6rem", cell: ({ board }) => <Ago at={board.firstSeen} />, minor: true },
];

/** A board that says that it is a node which is known, or whose key is one's: decided on that node's page, with both before one's eyes. */
const claimsNode = (board: UnapprovedBoard) => board.claims !== undefined || board.holder !== undefined;

/** What is claimed, with the node's name in it. */
function Claim({ board }: { board: UnapprovedBoard }) {
  const id = board.claims?.id ?? board.holder!;
  const node = (
    <a class="name" href={`/nodes/${id}`}>
      {board.claims?.name ?? snapshot.value.nodes.get(id)?.name ?? id}
    </a>
  );
  if (board.claims === undefined)
    return (
      <>
        The card of {node} is in another board, {board.id}, at {board.address}.
      </>
    );
  if (board.claims.key === board.key)
    return (
      <>
        {node} asks to be admitted again, at {board.address}: {board.reason}.
      </>
    );
  return (
    <>
      A board with another key says that it is {node}, at {board.address}.
    </>
  );
}

/** Boards that ask to be admitted. Until a person approves their keys they get nothing and are part of nothing. */
export function UnapprovedBoards({ boards }: { boards: readonly UnapprovedBoard[] }) {
  // A board that says meanwhile that it is another one is another row: it is not selected.
  const rows = useMemo(() => boards.filter((b) => !claimsNode(b)).map((board) => ({ id: `${board.key} ${board.id}`, board })), [boards]);
  const claims = boards.filter(claimsNode);
  const { selected, selection, clear } = useSelection(rows, rows);
  const { busy, error, run } = useAction();
  if (boards.length === 0) return null;
  const keys = selected.map((row) => row.board.key);

  const approve = (then: () => void) =>
    void run(async () => {
      await api.approve(selected.map((row) => row.board));
      clear();
      await readUnapproved();
      then();
    });

  return (
    <section class="card" aria-label="Unapproved boards">
      <h2>Unapproved boards</h2>
      <p class="dim">
        These boards ask to be admitted. A board shows the beginning of its key on its console: approve the boards that are yours.
      </p>
      {claims.length > 0 && (
        <ul class="findings" aria-label="Boards that claim to be nodes">
          {claims.map((board) => (
            <li key={board.key}>
              <Badge icon="key" tone="warn" text="Claims" help="Compare both on the node's page, and decide there" />
              <div>
                <p>
                  <Claim board={board} />
                </p>
                <p class="dim">
                  Key <code class="key">{shortKey(board.key)}</code>. Compare both and decide on the node's page.
                </p>
              </div>
            </li>
          ))}
        </ul>
      )}
      {rows.length > 0 && (
        <>
          <Allowed role="operator" what="Approving boards">
            <div class="actions" role="toolbar" aria-label="Actions on the selected boards">
              <button
                type="button"
                class="primary"
                disabled={busy || keys.length === 0}
                onClick={() => approve(() => startInstall({ picked: selected.map((row) => row.board.id) }))}
              >
                Approve and install …
              </button>
              <button type="button" disabled={busy || keys.length === 0} onClick={() => approve(() => undefined)}>
                Approve
              </button>
              <button
                type="button"
                disabled={busy || keys.length === 0}
                title="They are not listed for a day"
                onClick={() =>
                  void run(async () => {
                    await Promise.all(keys.map((key) => api.reject(key)));
                    clear();
                    await readUnapproved();
                  })
                }
              >
                Reject
              </button>
              <span class="selected-count" role="status">
                {keys.length === 0 ? "Nothing selected" : `${count(keys.length, "board")} selected`}
              </span>
            </div>
          </Allowed>
          {error !== "" && <Notice tone="bad">{error}</Notice>}
          <Table
            label="Unapproved boards"
            columns={columns}
            rows={rows}
            keyOf={(row) => row.id}
            nameOf={(row) => `${row.board.id}, key ${shortKey(row.board.key)}`}
            {...(may("operator") && { selection })}
          />
        </>
      )}
    </section>
  );
}
