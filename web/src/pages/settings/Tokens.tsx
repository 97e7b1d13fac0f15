import { useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { MadeToken, Role, TokenView } from "../../api/types";
import { Ago, Until } from "../../components/Ago";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Notice } from "../../components/Notice";
import { RoleSelect } from "../../components/RoleSelect";
import { ShownOnce } from "../../components/ShownOnce";
import { type Column, Table } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { me } from "../../state/session";

/** What programs sign in with. */
export function TokensPart() {
  const { value: tokens, error, reload } = useRead(api.tokens);
  const [made, setMade] = useState<MadeToken | null>(null);
  const [revoking, setRevoking] = useState<TokenView | null>(null);
  const columns = useMemo(() => tokenColumns(setRevoking), []);
  return (
    <>
      <MakeToken
        onMade={(token) => {
          setMade(token);
          void reload();
        }}
      />
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {made && (
        <ShownOnce secret={made.token} onDone={() => setMade(null)}>
          {`Token ${made.name}: programs send it as "Authorization: Bearer …".`}
        </ShownOnce>
      )}
      {tokens?.length === 0 && <p class="dim">There are no tokens yet.</p>}
      {tokens && tokens.length > 0 && <Table label="Tokens" columns={columns} rows={tokens} keyOf={(t) => t.id} />}
      {revoking && (
        <ConfirmDialog
          title={`Revoke ${revoking.name}?`}
          keep="Keep it"
          confirm="Revoke"
          onConfirm={async () => {
            await api.revokeToken(revoking.id);
            await reload();
          }}
          onClose={() => setRevoking(null)}
        >
          <p>Whatever uses it is refused from now on.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

const tokenColumns = (revoke: (token: TokenView) => void): readonly Column<TokenView>[] => [
  { id: "name", title: "Name", width: "minmax(7rem, 1fr)", cell: (t) => <strong>{t.name}</strong> },
  { id: "owner", title: "Owner", width: "minmax(5rem, 1fr)", cell: (t) => t.owner },
  { id: "role", title: "Role", width: "5.5rem", cell: (t) => t.role },
  { id: "ends", title: "Expires", width: "8rem", cell: (t) => (t.expiresAt === undefined ? "never" : <Until at={t.expiresAt} />) },
  {
    id: "used",
    title: "Last used",
    width: "8rem",
    cell: (t) => (t.lastUsedAt === undefined ? <span class="dim">never</span> : <Ago at={t.lastUsedAt} />),
  },
  {
    id: "do",
    title: "",
    width: "6.5rem",
    align: "end",
    cell: (t) => (
      <button type="button" class="small" aria-label={`Revoke ${t.name}`} onClick={() => revoke(t)}>
        Revoke …
      </button>
    ),
  },
];

function MakeToken({ onMade }: { onMade: (token: MadeToken) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>(me.value?.role === "viewer" ? "viewer" : "operator");
  const [days, setDays] = useState("90");
  const { busy, error, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          onMade(await api.makeToken({ name: name.trim(), role, ...(days !== "" && { days: Number(days) }) }));
          setName("");
        });
      }}
    >
      <h2>Make a token</h2>
      <p>For programs. It has its role's permissions, and never more than you have at that moment.</p>
      <div class="line">
        <label class="field">
          <span>Name</span>
          <input
            type="text"
            required
            maxLength={64}
            autoComplete="off"
            spellcheck={false}
            value={name}
            onInput={(e) => setName(e.currentTarget.value)}
          />
        </label>
        <div class="field">
          <span aria-hidden="true">Role</span>
          <RoleSelect label="Role" value={role} onChange={setRole} mine />
        </div>
        <label class="field">
          <span>Expires after (days; empty: never)</span>
          <input type="number" min={1} max={3650} value={days} onInput={(e) => setDays(e.currentTarget.value)} />
        </label>
        <button type="submit" class="primary" disabled={busy || name.trim() === ""}>
          Make token
        </button>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
    </form>
  );
}
