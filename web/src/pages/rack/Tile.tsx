import { useEffect, useRef, useState } from "preact/hooks";
import type { Alert, Metric, NodeView } from "../../api/types";
import { Icon } from "../../components/Icon";
import { heatOf, metricText, type Scale } from "../../lib/heat";
import { linkWords } from "../../lib/words";
import { isSilent, statusOf, watchStatus } from "../../state/status";
import { now } from "../../state/store";

interface Props {
  node: NodeView;
  metric: Metric;
  scale: Scale;
  /** What is wrong with it now. */
  alerts: readonly Alert[];
}

/** One board: its name, the value that is looked at, and what is wrong with it. */
export function Tile({ node, metric, scale, alerts }: Props) {
  const place = useRef<HTMLLIElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const seen = new IntersectionObserver((entries) => setNear(entries.at(-1)!.isIntersecting), { rootMargin: "200px" });
    seen.observe(place.current!);
    return () => seen.disconnect();
  }, []);
  useEffect(() => (node.link === "slave" ? watchStatus(node.id, { near, full: false }) : undefined), [node.id, node.link, near]);
  const status = statusOf(node.id).value;
  const silent = isSilent(status, now.value);
  const value = node.link === "slave" ? status.values[metric.name] : undefined;
  const wrong = alerts.filter((alert) => alert.muted === "").map((alert) => alert.title);
  const words = [
    value === undefined ? (node.link === "slave" ? "unknown" : linkWords[node.link]) : metricText(metric, value),
    ...(silent ? ["silent"] : []),
    ...(status.fault === undefined ? [] : ["malformed"]),
    ...wrong,
  ];
  const state = silent ? "silent" : value === undefined ? "unknown" : "";
  return (
    <li ref={place}>
      <a
        class={`tile ${state} ${wrong.length > 0 ? "wrong" : ""}`}
        href={`/nodes/${node.id}`}
        style={value === undefined ? undefined : { "--heat": heatOf(value, scale) }}
        title={`${node.name}: ${words.join(", ")}`}
      >
        <span class="tile-name">{node.name}</span>
        <span class="tile-value">{words[0]}</span>
        {wrong.length > 0 && (
          <span class="tile-wrong">
            <Icon name="warn" />
            {wrong[0]}
          </span>
        )}
      </a>
    </li>
  );
}
