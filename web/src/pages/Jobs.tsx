import type { JobKind, JobView } from "../api/types";
import { Ago } from "../components/Ago";
import { Icon } from "../components/Icon";
import { Empty, Notice } from "../components/Notice";
import { type Column, Table } from "../components/Table";
import { changedQuery, queryValue, setQueryValues } from "../lib/router";
import { jobTitle, kindWords } from "../lib/words";
import { jobs } from "../state/store";
import { Counts } from "./jobs/Counts";
import { pageSize, useJobList } from "./jobs/useJobList";

const columns: readonly Column<JobView>[] = [
  {
    id: "name",
    title: "Job",
    width: "minmax(10rem, 1.5fr)",
    cell: (j) => (
      <a class="name" href={`/jobs/${j.id}`}>
        {jobTitle(j)}
        {j.paused && !j.ended && <span class="dim"> (paused)</span>}
      </a>
    ),
  },
  { id: "nodes", title: "Nodes", width: "5rem", align: "end", cell: (j) => Object.values(j.counts).reduce((a, b) => a + b, 0) },
  { id: "counts", title: "Tasks", width: "minmax(12rem, 2fr)", cell: (j) => <Counts job={j} /> },
  { id: "by", title: "Started by", width: "10.5rem", cell: (j) => j.schedule ?? j.createdBy, minor: true },
  { id: "at", title: "Ordered", width: "8rem", cell: (j) => <Ago at={j.createdAt} /> },
];

const kinds = Object.entries(kindWords) as [JobKind, string][];

/** What the appliance finds jobs by. */
const states: readonly [string, string][] = [
  ["open", "under way"],
  ["paused", "paused"],
  ["failed", "with failures"],
  ["cancelled", "with cancelled tasks"],
  ["skipped", "with skipped tasks"],
  ["succeeded", "succeeded on all nodes"],
];

/** Changes what is listed: from its first page on. */
const choose = (change: Record<string, string>) => setQueryValues({ ...change, before: "" });

export function JobsPage() {
  const [kind, state, text, before] = ["kind", "state", "text", "before"].map(queryValue) as [string, string, string, string];
  const { list, more, error } = useJobList({ kind, state, text, before: before || undefined });
  const open = jobs.value.filter((j) => !j.ended).length;
  const everything = kind === "" && state === "" && text === "" && before === "";
  if (everything && list?.length === 0) {
    return (
      <Empty title="No jobs yet">
        <p>
          A job is one order to some nodes: install, update, run a command, reboot or shut down. Select <a href="/nodes">nodes</a> and give
          one; here you see what becomes of it on each. Orders that come again and again are <a href="/schedules">schedules</a>.
        </p>
      </Empty>
    );
  }
  return (
    <>
      <div class="page-head">
        <h1>Jobs</h1>
        <span class="dim">{open === 0 ? "none" : open} under way</span>
        <label class="choose">
          <span class="spoken">Kind</span>
          <select value={kind} onChange={(e) => choose({ kind: e.currentTarget.value })}>
            <option value="">of every kind</option>
            {kinds.map(([value, word]) => (
              <option value={value} key={value}>
                {word}
              </option>
            ))}
          </select>
        </label>
        <label class="choose">
          <span class="spoken">State</span>
          <select value={state} onChange={(e) => choose({ state: e.currentTarget.value })}>
            <option value="">in every state</option>
            {states.map(([value, words]) => (
              <option value={value} key={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="search">
          <Icon name="search" />
          <input
            type="search"
            placeholder="Nodes, images, people, commands"
            aria-label="Filter jobs"
            aria-keyshortcuts="/"
            value={text}
            onInput={(e) => choose({ text: e.currentTarget.value })}
          />
          <kbd aria-hidden="true">/</kbd>
        </label>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {list === null ? (
        <p class="dim" role="status">
          Reading …
        </p>
      ) : list.length === 0 ? (
        <Empty title="No job is like that">
          <p>
            <button type="button" onClick={() => choose({ kind: "", state: "", text: "" })}>
              Show all jobs
            </button>
          </p>
        </Empty>
      ) : (
        <Table label="Jobs" columns={columns} rows={list} keyOf={(j) => j.id} />
      )}
      {(more || before !== "") && (
        <nav class="pager" aria-label="Pages of the list">
          {before !== "" && <a href={pageUrl("")}>Newest</a>}
          {more && list !== null && <a href={pageUrl(list.at(-1)!.id)}>Older than these {pageSize}</a>}
        </nav>
      )}
    </>
  );
}

/** This list from another place on. A step in the history: going back leads to the page before. */
const pageUrl = (before: string) => `/jobs${changedQuery({ before })}`;
