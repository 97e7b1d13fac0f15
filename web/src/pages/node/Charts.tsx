import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Metric, NodeJob, NodeView } from "../../api/types";
import { Chart, type ChartEvent, type Line } from "../../components/Chart";
import { Notice } from "../../components/Notice";
import { RangeChoice } from "../../components/RangeChoice";
import { useRead } from "../../components/useRead";
import { metricText } from "../../lib/heat";
import { type Columns, columnsOf, isKnown, LiveColumns, type Range, ranges } from "../../lib/series";
import { kindWords } from "../../lib/words";
import { statusOf } from "../../state/status";
import { now } from "../../state/store";
import { compareUrl } from "../Compare";

/** What stands in one chart; the first metric's unit is the axis'. */
const charts: readonly { title: string; top?: number; lines: readonly (readonly [metric: string, label: string, colour: string])[] }[] = [
  {
    title: "CPU",
    top: 100,
    lines: [
      ["cpu.busy", "busy", "--busy"],
      ["cpu.iowait", "I/O wait", "--warn"],
    ],
  },
  { title: "Temperature", top: 85, lines: [["temperature", "", "--bad"]] },
  { title: "CPU clock", lines: [["cpu.clock", "", "--good"]] },
  {
    title: "Memory",
    top: 100,
    lines: [
      ["memory.used", "memory", "--busy"],
      ["swap.used", "swap", "--warn"],
    ],
  },
  {
    title: "Disk",
    lines: [
      ["disk.read", "read", "--good"],
      ["disk.write", "write", "--busy"],
    ],
  },
  {
    title: "Network",
    lines: [
      ["net.receive", "in", "--good"],
      ["net.transmit", "out", "--busy"],
    ],
  },
];

const metrics = charts.flatMap((chart) => chart.lines.map(([metric]) => metric));

/** What happened to the node while it was measured. */
function eventsOf(jobs: readonly NodeJob[] | undefined): ChartEvent[] {
  return (jobs ?? []).flatMap(({ task }) => (task.sentAt === undefined ? [] : [{ at: task.sentAt / 1000, text: kindWords[task.kind] }]));
}

/** The node's charts: live, and from the appliance's history. */
export function ChartsPart({ node, all, jobs }: { node: NodeView; all: readonly Metric[]; jobs: readonly NodeJob[] | undefined }) {
  const [range, setRange] = useState<Range>("hour");
  const seconds = ranges[range][1];
  const history = useRead(() => api.nodeHistory(node.id, metrics, Date.now() - seconds * 1000), [node.id, range]);
  useEffect(() => {
    const timer = setInterval(() => void history.reload(), range === "month" ? 900_000 : 60_000);
    return () => clearInterval(timer);
  }, [node.id, range]);
  const columns = useMemo(() => history.value && columnsOf(history.value), [history.value]);
  const live = useLive(node.id);
  const until = Math.ceil(now.value / 1000);
  const events = useMemo(() => eventsOf(jobs), [jobs]);
  const shown = range === "hour" ? withLive(columns, live) : columns;
  return (
    <section class="card" aria-label="Charts">
      <div class="card-head">
        <h2>Charts</h2>
        <a href={compareUrl([node.id])}>Compare with others</a>
        <RangeChoice range={range} choose={setRange} />
      </div>
      {history.error !== "" && <Notice tone="bad">{history.error}</Notice>}
      <div class="charts">
        {shown &&
          charts
            .filter((chart) => chart.lines.some(([name]) => isKnown(shown, name)))
            .map(({ title, top, lines }) => {
              const metric = all.find((m) => m.name === lines[0]![0])!;
              return (
                <Chart
                  key={title}
                  title={title}
                  times={shown.times}
                  lines={lines.flatMap(([name, label, colour]): Line[] => {
                    const column = shown.of[name];
                    if (column === undefined || !isKnown(shown, name)) return [];
                    return [{ label: label || title, colour, values: column.mean, ...(range !== "hour" && { band: column }) }];
                  })}
                  events={events}
                  text={(value) => metricText(metric, value)}
                  range={[until - seconds, until]}
                  {...(top !== undefined && { top })}
                />
              );
            })}
      </div>
      {shown && shown.times.length === 0 && <p class="dim">Nothing was measured in this time.</p>}
      {shown && shown.times.length > 0 && events.length > 0 && <p class="dim small">Dashed lines: jobs on this node began.</p>}
    </section>
  );
}

/** The node's values since the page was opened, an hour at most. */
function useLive(node: string): LiveColumns {
  const live = useRef(new LiveColumns(metrics, 3600));
  const status = statusOf(node).value;
  useEffect(() => {
    live.current = new LiveColumns(metrics, 3600);
  }, [node]);
  useEffect(() => {
    if (status.heardAt > 0) live.current.add(status.heardAt / 1000, status.values);
  }, [status]);
  return live.current;
}

/** History up to where the page was opened, and from then on what came live. */
function withLive(history: Columns | undefined, live: LiveColumns): Columns | undefined {
  if (history === undefined) return undefined;
  const begin = live.times[0] ?? Number.POSITIVE_INFINITY;
  const kept = history.times.findIndex((at) => at >= begin);
  const before = kept < 0 ? history.times.length : kept;
  const of: Columns["of"] = {};
  for (const metric of metrics) {
    const mean = [...(history.of[metric]?.mean.slice(0, before) ?? []), ...live.values[metric]!];
    of[metric] = { mean, min: mean, max: mean };
  }
  return { times: [...history.times.slice(0, before), ...live.times], of };
}
