import { api } from "../../api/client";
import type { Profile } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Empty, Notice } from "../../components/Notice";
import { type Column, Table } from "../../components/Table";
import { useRead } from "../../components/useRead";
import { emptyProfile, partsOf } from "../../lib/profile";
import { queryValue } from "../../lib/router";
import { ProfileEditor } from "../profiles/Editor";

/** `/settings/profiles`, `/settings/profiles?add=1` and `/settings/profiles/NAME`. */
export function ProfilesPart({ name }: { name?: string }) {
  const isNew = name === undefined && queryValue("add") !== "";
  if (name === undefined && !isNew) return <ProfileList />;
  return (
    <>
      <p class="crumbs">
        <a href="/settings/profiles">Profiles</a> /
      </p>
      <h2>{name ?? "A new profile"}</h2>
      {name === undefined ? (
        <ProfileEditor kept={emptyProfile} isNew onSaved={() => Promise.resolve()} />
      ) : (
        <OneProfile name={name} key={name} />
      )}
    </>
  );
}

function OneProfile({ name }: { name: string }) {
  const { value, error, reload } = useRead(() => api.profile(name));
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  return value ? <ProfileEditor kept={value} isNew={false} onSaved={reload} /> : null;
}

const columns: readonly Column<Profile>[] = [
  {
    id: "name",
    title: "Name",
    width: "minmax(7rem, 1fr)",
    cell: (p) => (
      <a class="name" href={`/settings/profiles/${encodeURIComponent(p.name)}`}>
        {p.name}
      </a>
    ),
  },
  { id: "description", title: "Description", width: "minmax(8rem, 2fr)", cell: (p) => p.description },
  { id: "parts", title: "What it does", width: "minmax(8rem, 2fr)", cell: (p) => partsOf(p) },
];

function ProfileList() {
  const { value: profiles, error } = useRead(api.profiles);
  return (
    <>
      <div class="card-head">
        <h2>Profiles</h2>
        <Allowed role="operator">
          <a class="end" href="/settings/profiles?add=1">
            Add a profile
          </a>
        </Allowed>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {profiles?.length === 0 ? (
        <Empty title="No profiles yet">
          <p>
            A profile makes each installed system its node's own: host name, users and keys, Wi-Fi, addresses, packages, files, a script for
            the first start.
          </p>
          <p>
            Where nodes differ, it says <code>{"{{ value.seat }}"}</code>, and each group or node has{" "}
            <a href="/settings/values">its own value</a>. The same from a terminal: <code>bootstrap profiles apply -f lab.yaml</code>
          </p>
        </Empty>
      ) : (
        profiles && <Table label="Profiles" columns={columns} rows={profiles} keyOf={(p) => p.name} />
      )}
    </>
  );
}
