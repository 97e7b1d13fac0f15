import { api } from "../../api/client";
import type { AuditEntry } from "../../api/types";
import { Icon } from "../../components/Icon";
import { Empty, Notice } from "../../components/Notice";
import { type Column, Table } from "../../components/Table";
import { useRead } from "../../components/useRead";
import { dateTime } from "../../lib/format";
import { changedQuery, queryValue, setQueryValues } from "../../lib/router";

const pageSize = 100;

const columns: readonly Column<AuditEntry>[] = [
  { id: "at", title: "When", width: "11rem", cell: (e) => dateTime(e.at) },
  { id: "who", title: "Who", width: "minmax(5rem, 1fr)", cell: (e) => (e.who === "" ? <span class="dim">nobody</span> : e.who) },
  { id: "what", title: "What", width: "minmax(9rem, 1.5fr)", cell: (e) => e.what },
  { id: "subject", title: "To what", width: "minmax(9rem, 2fr)", cell: (e) => <span title={e.subject}>{e.subject}</span> },
  {
    id: "refusal",
    title: "Refused",
    width: "minmax(7rem, 2fr)",
    cell: (e) => (
      <span class="bad-text" title={e.refusal}>
        {e.refusal}
      </span>
    ),
  },
];

const pageUrl = (before: string) => `/settings/audit${changedQuery({ before })}`;

/** Who did what, and what was refused; the newest first. */
export function AuditPart() {
  const [text, before] = [queryValue("text"), queryValue("before")];
  // One more than are shown tells whether there are older ones.
  const { value: entries, error } = useRead(() => api.audit({ text, before, limit: pageSize + 1 }), [text, before]);
  const shown = entries?.slice(0, pageSize);
  return (
    <>
      <label class="search audit-search">
        <Icon name="search" />
        <input
          type="search"
          placeholder="People, actions, nodes, refusals"
          aria-label="Filter the audit log"
          aria-keyshortcuts="/"
          value={text}
          onInput={(e) => setQueryValues({ text: e.currentTarget.value, before: "" })}
        />
        <kbd aria-hidden="true">/</kbd>
      </label>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {shown?.length === 0 ? (
        <Empty title={text === "" ? "Nothing was done yet" : "Nothing is like that"} />
      ) : (
        shown && <Table label="Audit log" columns={columns} rows={shown} keyOf={(e) => String(e.id)} />
      )}
      <nav class="pager" aria-label="Pages of the log">
        {before !== "" && <a href={pageUrl("")}>Newest</a>}
        {entries && entries.length > pageSize && <a href={pageUrl(String(shown!.at(-1)!.id))}>Older than these {pageSize}</a>}
      </nav>
    </>
  );
}
