import { useEffect, useMemo } from "preact/hooks";
import { api } from "../api/client";
import type { Alert, Metric } from "../api/types";
import { NodeSearch } from "../components/NodeSearch";
import { Empty, Notice } from "../components/Notice";
import { useRead } from "../components/useRead";
import { byNode } from "../lib/alerts";
import { filterFault, nodeFilter } from "../lib/filter";
import { count } from "../lib/format";
import { heatOf, metricText, type Scale, scaleOf } from "../lib/heat";
import { type Grouping, grouped, groupings, groupingWords } from "../lib/rack";
import { remembered } from "../lib/remembered";
import { queryValue, setQueryValue } from "../lib/router";
import { setTileMetrics, statusOf } from "../state/status";
import { alerts, nodes } from "../state/store";
import { AlertList } from "./rack/Alerts";
import { Tile } from "./rack/Tile";

const colouring = remembered("rack-metric", "temperature", (value) => typeof value === "string");
const grouping = remembered<Grouping>("rack-grouping", "location", (value): value is Grouping => groupings.includes(value as Grouping));

const none: readonly Alert[] = [];

/** What is coloured first of all; the rest follows in the order of the list. */
const usual = ["temperature", "cpu.busy", "memory.used", "load.1", "fs.used", "cpu.clock", "disk.write", "net.receive", "net.transmit"];

/** The rack at a glance: one tile a board. */
export function RackPage() {
  const { value: metrics, error } = useRead(api.metrics);
  const query = queryValue("q");
  const all = nodes.value;
  const shown = useMemo(() => all.filter(nodeFilter(query)), [all, query]);
  const wrong = useMemo(() => byNode(alerts.value), [alerts.value]);
  const its = useMemo(() => {
    const ids = new Set(shown.map((node) => node.id));
    return alerts.value.filter((alert) => ids.has(alert.node));
  }, [alerts.value, shown]);
  const groups = useMemo(() => grouped(shown, grouping.value), [shown, grouping.value]);
  const metric = metrics?.find((m) => m.name === colouring.value) ?? metrics?.find((m) => m.name === "temperature");
  const scale =
    metric &&
    scaleOf(
      metric,
      shown.flatMap((node) => statusOf(node.id).peek().values[metric.name] ?? []),
    );
  useEffect(() => {
    if (metric !== undefined) setTileMetrics([metric.name]);
  }, [metric]);
  return (
    <>
      <div class="page-head">
        <h1>Rack</h1>
        <span class="dim">{query === "" ? count(all.length, "node") : `${shown.length} of ${count(all.length, "node")}`}</span>
        <NodeSearch />
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {filterFault(query) !== "" && <Notice tone="warn">{filterFault(query)}</Notice>}
      <AlertList alerts={its} />
      {metrics && metric && scale && (
        <>
          <div class="rack-tools">
            <label class="inline">
              Colour by
              <select value={metric.name} onChange={(e) => (colouring.value = e.currentTarget.value)}>
                {ordered(metrics).map((m) => (
                  <option value={m.name} key={m.name}>
                    {m.title}
                  </option>
                ))}
              </select>
            </label>
            <label class="inline">
              Group by
              <select value={grouping.value} onChange={(e) => (grouping.value = e.currentTarget.value as Grouping)}>
                {groupings.map((g) => (
                  <option value={g} key={g}>
                    {groupingWords[g]}
                  </option>
                ))}
              </select>
            </label>
            <Legend metric={metric} scale={scale} />
          </div>
          {shown.length === 0 ? (
            <Empty title={all.length === 0 ? "No nodes yet" : "No nodes match"}>
              <p>
                {all.length === 0 ? (
                  <a href="/nodes">First steps</a>
                ) : (
                  <button type="button" onClick={() => setQueryValue("q", "")}>
                    Show all
                  </button>
                )}
              </p>
            </Empty>
          ) : (
            groups.map((group) => (
              <section class="rack-group" key={group.name} aria-label={group.name || "All nodes"}>
                {group.name !== "" && (
                  <h2>
                    {group.name} <span class="dim">{group.nodes.length}</span>
                  </h2>
                )}
                <ul class="tiles">
                  {group.nodes.map((node) => (
                    <Tile key={node.id} node={node} alerts={wrong.get(node.id) ?? none} {...{ metric, scale }} />
                  ))}
                </ul>
              </section>
            ))
          )}
        </>
      )}
    </>
  );
}

const ordered = (metrics: Metric[]) => {
  const rank = (m: Metric) => (usual.includes(m.name) ? usual.indexOf(m.name) : usual.length);
  return [...metrics].sort((a, b) => rank(a) - rank(b));
};

function Legend({ metric, scale }: { metric: Metric; scale: Scale }) {
  const stops = [scale.from, (scale.from + scale.to) / 2, scale.to];
  return (
    <div class="legend">
      {stops.map((value) => (
        <span key={value} class="legend-stop" style={{ "--heat": heatOf(value, scale) }}>
          {metricText(metric, value)}
        </span>
      ))}
      <span class="legend-stop unknown">unknown</span>
    </div>
  );
}
