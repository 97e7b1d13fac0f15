import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { Metric, NodeView } from "../api/types";
import { Chart } from "../components/Chart";
import { Icon } from "../components/Icon";
import { Empty, Notice } from "../components/Notice";
import { RangeChoice } from "../components/RangeChoice";
import { useRead } from "../components/useRead";
import { metricText } from "../lib/heat";
import { changedQuery, location, queryValue, setQueryValue } from "../lib/router";
import { isKnown, type Range, ranges, sideBySide } from "../lib/series";
import { nodes, now } from "../state/store";

/** So many lines can be told apart in a chart. */
export const mostCompared = 6;

const charts: readonly { metric: string; title: string; top?: number }[] = [
  { metric: "cpu.busy", title: "CPU", top: 100 },
  { metric: "temperature", title: "Temperature", top: 85 },
  { metric: "cpu.clock", title: "CPU clock" },
  { metric: "memory.used", title: "Memory", top: 100 },
  { metric: "disk.read", title: "Disk, read" },
  { metric: "disk.write", title: "Disk, write" },
  { metric: "net.receive", title: "Network, in" },
  { metric: "net.transmit", title: "Network, out" },
];

const metricNames = charts.map(({ metric }) => metric);

/** Where nodes are compared. */
export const compareUrl = (ids: readonly string[]): string => `/compare?nodes=${ids.map(encodeURIComponent).join(",")}`;

/** Some nodes in the same charts, each a line. */
export function ComparePage() {
  const ids = queryValue("nodes")
    .split(",")
    .filter((id) => id !== "")
    .slice(0, mostCompared);
  const chosen = ids.flatMap((id) => nodes.value.find((n) => n.id === id) ?? []);
  const others = nodes.value.filter((n) => !ids.includes(n.id));
  const metrics = useRead(api.metrics);
  const [range, setRange] = useState<Range>("hour");
  const choose = (wanted: readonly string[]) => setQueryValue("nodes", wanted.join(","));
  return (
    <>
      <div class="page-head">
        <h1>Compare nodes</h1>
        {chosen.length < mostCompared && others.length > 0 && (
          <label class="choose">
            <span class="spoken">Add a node</span>
            <select value="" onChange={(e) => choose([...ids, e.currentTarget.value])}>
              <option value="">Add a node …</option>
              {others.map((n) => (
                <option value={n.id} key={n.id}>
                  {n.name}
                </option>
              ))}
            </select>
          </label>
        )}
        <RangeChoice range={range} choose={setRange} />
      </div>
      <ul class="chips compared">
        {chosen.map((n, i) => (
          <li class="chip" key={n.id}>
            <i style={{ background: `var(--line-${i + 1})` }} aria-hidden="true" />
            <a href={`/nodes/${encodeURIComponent(n.id)}`}>{n.name}</a>
            <button type="button" class="plain" aria-label={`Leave out ${n.name}`} onClick={() => choose(ids.filter((id) => id !== n.id))}>
              <Icon name="close" />
            </button>
          </li>
        ))}
      </ul>
      {chosen.length === 0 ? (
        <Empty title="No node is chosen">
          <p>Add up to {mostCompared} nodes: each is a line in the charts.</p>
        </Empty>
      ) : (
        metrics.value && <Together key={location.value.path + changedQuery({}) + range} chosen={chosen} all={metrics.value} range={range} />
      )}
    </>
  );
}

function Together({ chosen, all, range }: { chosen: readonly NodeView[]; all: readonly Metric[]; range: Range }) {
  const seconds = ranges[range][1];
  const read = () => Promise.all(chosen.map((n) => api.nodeHistory(n.id, metricNames, Date.now() - seconds * 1000)));
  const { value, error, reload } = useRead(read);
  useEffect(() => {
    const timer = setInterval(() => void reload(), 60_000);
    return () => clearInterval(timer);
  }, []);
  const together = useMemo(() => value && new Map(metricNames.map((metric) => [metric, sideBySide(value, metric)])), [value]);
  const until = Math.ceil(now.value / 1000);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  if (together === undefined) return <p class="dim">Reading …</p>;
  const known = charts.filter(({ metric }) => chosen.some((_, i) => isKnown(together.get(metric)!, `${i}`)));
  return (
    <section class="card" aria-label="Charts">
      <div class="charts">
        {known.map(({ metric, title, top }) => {
          const { times, of } = together.get(metric)!;
          return (
            <Chart
              key={metric}
              title={title}
              times={times}
              lines={chosen.map((n, i) => ({ label: n.name, colour: `--line-${i + 1}`, values: of[i]?.mean ?? times.map(() => null) }))}
              text={(value) => metricText(all.find((m) => m.name === metric)!, value)}
              range={[until - seconds, until]}
              {...(top !== undefined && { top })}
            />
          );
        })}
      </div>
      {known.length === 0 && <p class="dim">Nothing was measured in this time.</p>}
    </section>
  );
}
