import { useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Invitation, Person, Role } from "../../api/types";
import { Ago } from "../../components/Ago";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Notice } from "../../components/Notice";
import { RoleSelect } from "../../components/RoleSelect";
import { ShownOnce } from "../../components/ShownOnce";
import { type Column, Table } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { roleHelp } from "../../lib/words";

/** Who may sign in, and as what. */
export function PeoplePart() {
  const { value: people, error: unread, reload } = useRead(api.people);
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [removing, setRemoving] = useState<Person | null>(null);
  const { error, run } = useAction();

  const columns = useMemo(
    () =>
      peopleColumns(
        (person, role) =>
          void run(() =>
            api
              .editPerson(person.name, { role })
              .finally(reload)
              .then(() => undefined),
          ),
        (person) => void run(async () => setInvitation(await api.linkFor(person.name))),
        (person) => void run(() => api.editPerson(person.name, { removePassword: true }).then(reload)),
        setRemoving,
      ),
    [],
  );

  return (
    <>
      <AddPerson
        onAdded={(added) => {
          setInvitation(added);
          void reload();
        }}
      />
      {[unread, error].map(
        (e) =>
          e !== "" && (
            <Notice tone="bad" key={e}>
              {e}
            </Notice>
          ),
      )}
      {invitation && (
        <ShownOnce secret={`${window.location.origin}/sign-in#${invitation.token}`} onDone={() => setInvitation(null)}>
          {`Give this link to ${invitation.name}: it signs in once, within a day.`}
        </ShownOnce>
      )}
      {people && <Table label="Users" columns={columns} rows={people} keyOf={(p) => p.name} />}
      {removing && (
        <ConfirmDialog
          title={`Remove ${removing.name}?`}
          keep="Keep"
          confirm="Remove"
          onConfirm={async () => {
            await api.removePerson(removing.name);
            await reload();
          }}
          onClose={() => setRemoving(null)}
        >
          <p>All sessions, links and tokens of {removing.name} end at once. What was ordered goes on.</p>
        </ConfirmDialog>
      )}
    </>
  );
}

const peopleColumns = (
  setRole: (person: Person, role: Role) => void,
  makeLink: (person: Person) => void,
  dropPassword: (person: Person) => void,
  remove: (person: Person) => void,
): readonly Column<Person>[] => [
  { id: "name", title: "Name", width: "minmax(7rem, 1fr)", cell: (p) => <strong>{p.name}</strong> },
  {
    id: "role",
    title: "Role",
    width: "8rem",
    cell: (p) => <RoleSelect label={`Role of ${p.name}`} value={p.role} onChange={(role) => setRole(p, role)} />,
  },
  { id: "signs-in", title: "Signs in by", width: "6.5rem", cell: (p) => (p.hasPassword ? "password" : "link") },
  {
    id: "since",
    title: "Added",
    width: "8rem",
    cell: (p) => (p.createdAt === 0 ? "from the start" : <Ago at={p.createdAt} />),
    minor: true,
  },
  {
    id: "do",
    title: "",
    width: "21rem",
    align: "end",
    cell: (p) => (
      <>
        {p.hasPassword && (
          <button type="button" class="small" aria-label={`Take the password of ${p.name} away`} onClick={() => dropPassword(p)}>
            Drop password
          </button>
        )}
        <button type="button" class="small" aria-label={`New link for ${p.name}`} onClick={() => makeLink(p)}>
          New link
        </button>
        <button type="button" class="small" aria-label={`Remove ${p.name}`} onClick={() => remove(p)}>
          Remove …
        </button>
      </>
    ),
  },
];

function AddPerson({ onAdded }: { onAdded: (invitation: Invitation) => void }) {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const { busy, error, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          onAdded(await api.addPerson(name.trim(), role));
          setName("");
        });
      }}
    >
      <h2>Add a user</h2>
      <div class="line">
        <label class="field">
          <span>Name</span>
          <input
            type="text"
            required
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            value={name}
            onInput={(e) => setName(e.currentTarget.value)}
          />
        </label>
        <div class="field">
          <span aria-hidden="true">Role</span>
          <RoleSelect label="Role" value={role} onChange={setRole} />
        </div>
        <button type="submit" class="primary" disabled={busy || name.trim() === ""}>
          Add
        </button>
      </div>
      <p class="dim">
        As {role}: may {roleHelp[role]}.
      </p>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
    </form>
  );
}
