import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { BenchmarkResult, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { Chart } from "../../components/Chart";
import { type Column, Table } from "../../components/Table";
import { useRead } from "../../components/useRead";
import { compared, histories, measured, requestWords, uncertainty } from "../../lib/benchmarks";
import { jobs, nodes } from "../../state/store";
import { ResultBadge } from "../Benchmark";
import { BenchmarkDialog } from "../nodes/WorkDialogs";

const shownAtFirst = 5;

const columns: readonly Column<BenchmarkResult>[] = [
  { id: "what", title: "Benchmark", width: "minmax(11rem, 1.4fr)", cell: (r) => <ResultLink result={r} /> },
  { id: "median", title: "Median", width: "8.5rem", align: "end", cell: (r) => measured(r.median, r.unit) },
  { id: "interval", title: "95 %", width: "5.5rem", align: "end", cell: uncertainty, minor: true },
  { id: "before", title: "Of before", width: "6rem", align: "end", cell: compared },
  { id: "counts", title: "Counts", width: "minmax(9rem, 1fr)", cell: (r) => <ResultBadge result={r} /> },
  { id: "at", title: "Measured", width: "8rem", cell: (r) => <Ago at={r.startedAt} />, minor: true },
];

const ResultLink = ({ result }: { result: BenchmarkResult }) => (
  <a class="name" href={`/benchmarks/${result.task}`}>
    {requestWords(result.request)}
  </a>
);

/** What was measured on the node, and how it went over time, and measuring it, alone or with the boards that it is compared with. */
export function BenchmarksPart({ node }: { node: NodeView }) {
  const ended = jobs.value.filter((j) => j.kind === "benchmark" && j.ended).length;
  const { value: results } = useRead(() => api.benchmarkResults({ node: node.id }), [node.id, ended]);
  const [all, setAll] = useState(false);
  const [targets, setTargets] = useState<readonly NodeView[] | null>(null);
  const equals = nodes.value.filter((n) => n.inventory.model === node.inventory.model && n.link === "slave");
  if (results === undefined || (results.length === 0 && node.link !== "slave")) return null;
  return (
    <section class="card" aria-label="Benchmarks">
      <h2>Benchmarks</h2>
      {results.length === 0 && <p class="dim">Nothing was measured on this node yet.</p>}
      <div class="charts">
        {histories(results).map((rows) => (
          <Over key={requestWords(rows[0]!.request)} rows={rows} />
        ))}
      </div>
      {results.length > 0 && (
        <Table
          label="Benchmarks of this node"
          columns={columns}
          rows={all ? results : results.slice(0, shownAtFirst)}
          keyOf={(r) => r.task}
        />
      )}
      {!all && results.length > shownAtFirst && (
        <button type="button" class="plain" onClick={() => setAll(true)}>
          Show all {results.length}
        </button>
      )}
      {node.link === "slave" && (
        <Allowed role="operator" what="Benchmarks">
          <div class="actions">
            <button type="button" onClick={() => setTargets([node])}>
              Measure …
            </button>
            {equals.length > 1 && (
              <button type="button" onClick={() => setTargets(equals)}>
                Measure all {equals.length} of its model …
              </button>
            )}
          </div>
        </Allowed>
      )}
      {targets !== null && <BenchmarkDialog targets={targets} onClose={() => setTargets(null)} />}
    </section>
  );
}

/** One benchmark over time, with its intervals; where it became slower is marked. */
function Over({ rows }: { rows: readonly BenchmarkResult[] }) {
  const { request, unit } = rows[0]!;
  const times = rows.map((r) => r.startedAt / 1000);
  return (
    <Chart
      title={requestWords(request)}
      times={times}
      lines={[
        {
          label: request.kind,
          colour: "--busy",
          values: rows.map((r) => r.median),
          band: { min: rows.map((r) => r.low), max: rows.map((r) => r.high) },
        },
      ]}
      events={rows.filter((r) => r.isRegression).map((r) => ({ at: r.startedAt / 1000, text: "slower than before" }))}
      text={(value) => measured(value, unit)}
      range={[times[0]!, times.at(-1)!]}
    />
  );
}
