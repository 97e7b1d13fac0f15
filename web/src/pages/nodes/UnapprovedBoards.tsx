import { useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { UnapprovedBoard } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { Table, type Column } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { count, shortKey } from "../../lib/format";
import { startInstall } from "../../state/installDraft";
import { may } from "../../state/session";
import { readUnapproved } from "../../state/store";
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
    cell: ({ board }) =>
      board.claims === undefined ? (
        board.id
      ) : (
        <a class="name" href={`/nodes/${board.claims.id}`} title="Compare it with the node on the node's page">
          {board.claims.name}
        </a>
      ),
  },
  { id: "model", title: "Model", width: "minmax(8rem, 1fr)", cell: ({ board }) => board.inventory.model, minor: true },
  { id: "reason", title: "Why it waits", width: "minmax(8rem, 1.4fr)", cell: ({ board }) => board.reason },
  { id: "address", title: "Address", width: "7rem", cell: ({ board }) => board.address },
  { id: "since", title: "Asks since", width: "6rem", cell: ({ board }) => <Ago at={board.firstSeen} />, minor: true },
];

/** Boards that ask to be admitted. Until a person approves their keys they get nothing and are part of nothing. */
export function UnapprovedBoards({ boards }: { boards: readonly UnapprovedBoard[] }) {
  const rows = useMemo(() => boards.map((board) => ({ id: board.key, board })), [boards]);
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
    </section>
  );
}
