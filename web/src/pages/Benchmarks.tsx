import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { BenchmarkGroup, BenchmarkResult, RankedResult } from "../api/types";
import { Ago } from "../components/Ago";
import { Allowed } from "../components/Allowed";
import { Badge } from "../components/Badge";
import { Empty, Notice } from "../components/Notice";
import { type Column, Table } from "../components/Table";
import { useRead } from "../components/useRead";
import { measured, place, requestWords, uncertainty, uncounted } from "../lib/benchmarks";
import { count } from "../lib/format";
import { changedQuery, queryValue, setQueryValue } from "../lib/router";
import { jobs, nodes } from "../state/store";
import { BenchmarkDialog } from "./nodes/WorkDialogs";

const ranked: readonly Column<RankedResult>[] = [
  { id: "name", title: "Node", width: "minmax(9rem, 1fr)", cell: ({ result }) => <NodeLink result={result} /> },
  { id: "median", title: "Median", width: "8.5rem", align: "end", cell: ({ result }) => <ResultLink result={result} /> },
  { id: "interval", title: "95 %", width: "5.5rem", align: "end", cell: ({ result }) => uncertainty(result), minor: true },
  { id: "percent", title: "Of the group's median", width: "10rem", align: "end", cell: (r) => `${r.percentOfMedian.toFixed(1)} %` },
  {
    id: "cause",
    title: "",
    width: "minmax(10rem, 1.4fr)",
    cell: ({ cause }) => (cause === undefined ? "" : <Badge icon="fail" tone="bad" text={`Slower than its equals: ${cause}`} />),
  },
  { id: "at", title: "Measured", width: "8rem", cell: ({ result }) => <Ago at={result.startedAt} />, minor: true },
];

const invalid: readonly Column<BenchmarkResult>[] = [
  { id: "name", title: "Node", width: "minmax(9rem, 1fr)", cell: (r) => <NodeLink result={r} /> },
  { id: "what", title: "Benchmark", width: "minmax(11rem, 1fr)", cell: (r) => requestWords(r.request) },
  { id: "median", title: "Median", width: "8.5rem", align: "end", cell: (r) => <ResultLink result={r} />, minor: true },
  { id: "why", title: "Does not count, because", width: "minmax(12rem, 2fr)", cell: (r) => r.faults.map((f) => f.words).join("; ") },
  { id: "at", title: "Measured", width: "8rem", cell: (r) => <Ago at={r.startedAt} />, minor: true },
];

const NodeLink = ({ result }: { result: BenchmarkResult }) => (
  <a class="name" href={`/nodes/${encodeURIComponent(result.node)}`}>
    {result.nodeName}
  </a>
);

const ResultLink = ({ result }: { result: BenchmarkResult }) => (
  <a href={`/benchmarks/${result.task}`}>{measured(result.median, result.unit)}</a>
);

/** Each node a point on the group's scale. */
function Strip({ group }: { group: BenchmarkGroup }) {
  const [slowest, fastest] = [group.nodes.at(-1)!, group.nodes[0]!].map((r) => r.percentOfMedian.toFixed(0));
  return (
    <div class="strip-plot" role="img" aria-label={`From ${slowest} to ${fastest} % of the median`}>
      {group.nodes.map((r) => (
        <span
          key={r.result.node}
          class={r.cause === undefined ? "" : "outlier"}
          style={{ "--at": place(r, group.nodes) }}
          title={`${r.result.nodeName}: ${r.percentOfMedian.toFixed(1)} %`}
        />
      ))}
    </div>
  );
}

export function BenchmarksPage() {
  const chosen = queryValue("benchmark");
  const ended = jobs.value.filter((j) => j.kind === "benchmark" && j.ended).length;
  const { value: kinds } = useRead(api.benchmarks);
  const { value: groups, error } = useRead(() => api.benchmarkRanking(chosen), [chosen, ended]);
  const { value: results } = useRead(() => api.benchmarkResults({ benchmark: chosen }), [chosen, ended]);
  const [again, setAgain] = useState<BenchmarkGroup | "new" | null>(null);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  if (groups === undefined || results === undefined) return null;
  const dropped = uncounted(results);
  const members = again === "new" ? null : again?.nodes.map((r) => r.result.node);
  const targets = nodes.value.filter((n) => members?.includes(n.id) ?? true);
  return (
    <>
      <div class="page-head">
        <h1>Benchmarks</h1>
        <label class="choose">
          <span class="spoken">Benchmark</span>
          <select value={chosen} onChange={(e) => setQueryValue("benchmark", e.currentTarget.value)}>
            <option value="">all benchmarks</option>
            {(kinds ?? []).map((kind) => (
              <option value={kind.name} key={kind.name}>
                {kind.name}
              </option>
            ))}
          </select>
        </label>
        {results.length > 0 && (
          <span class="export">
            Export{" "}
            <a href={`/api/v1/benchmarks/results.csv${changedQuery({})}`} download>
              CSV
            </a>
          </span>
        )}
        <Allowed role="operator">
          <span class="end">
            <button type="button" class="primary" disabled={nodes.value.length === 0} onClick={() => setAgain("new")}>
              Measure all nodes …
            </button>
          </span>
        </Allowed>
      </div>
      {groups.length + dropped.length === 0 && (
        <Empty title="Nothing was measured yet">
          <p>
            A benchmark runs on a node once it is quiet, and says whether its result can be believed. Boards of one model are compared with
            each other: which of them is slower than its equals, and probably why. Measure some <a href="/nodes">nodes</a>, or all of them;
            from a terminal: <code>bootstrap bench run sha256 all</code>
          </p>
        </Empty>
      )}
      {groups.map((group) => (
        <section key={`${group.model} ${requestWords(group.request)}`}>
          <div class="group-head">
            <h2>{group.model}</h2>
            <span class="dim">
              {requestWords(group.request)} · {count(group.nodes.length, "node")} · median {measured(group.median, group.unit)}
            </span>
            <Allowed role="operator">
              <button type="button" class="plain" onClick={() => setAgain(group)}>
                Measure again …
              </button>
            </Allowed>
          </div>
          {group.nodes.length > 1 && <Strip group={group} />}
          <Table
            label={`${group.model}: ${requestWords(group.request)}`}
            columns={ranked}
            rows={group.nodes}
            keyOf={(r) => r.result.node}
          />
        </section>
      ))}
      {dropped.length > 0 && (
        <section>
          <div class="group-head">
            <h2>Results that do not count</h2>
            <span class="dim">of each node the newest</span>
          </div>
          <Table label="Results that do not count" columns={invalid} rows={dropped} keyOf={(r) => r.task} />
        </section>
      )}
      {again !== null && (
        <BenchmarkDialog
          targets={targets}
          chosen={again === "new" ? chosen || undefined : again.request.kind}
          onClose={() => setAgain(null)}
        />
      )}
    </>
  );
}
