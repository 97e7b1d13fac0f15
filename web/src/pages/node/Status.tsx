import { useEffect, useMemo } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeJob, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Badge } from "../../components/Badge";
import { Notice } from "../../components/Notice";
import { Bar } from "../../components/Progress";
import { useRead } from "../../components/useRead";
import { bytes, duration, linkSpeed } from "../../lib/format";
import { partsOf } from "../../lib/status";
import { isSilent, type LiveStatus, statusOf, watchStatus } from "../../state/status";
import { alerts, now } from "../../state/store";
import { AlertList } from "../rack/Alerts";
import { ChartsPart } from "./Charts";

/** How the node is at this moment, and how it was. */
export function StatusPart({ node, jobs }: { node: NodeView; jobs: readonly NodeJob[] | undefined }) {
  const metrics = useRead(api.metrics);
  useEffect(() => (node.link === "slave" ? watchStatus(node.id, { near: true, full: true }) : undefined), [node.id, node.link]);
  const status = statusOf(node.id).value;
  // The Installer measures nothing.
  const measures = node.link === "slave" || node.lifecycle === "installed";
  const its = useMemo(() => alerts.value.filter((alert) => alert.node === node.id), [alerts.value, node.id]);
  return (
    <>
      <AlertList alerts={its} />
      {node.link === "slave" && status.heardAt > 0 && <Now status={status} />}
      {metrics.value && measures && <ChartsPart node={node} all={metrics.value} jobs={jobs} />}
    </>
  );
}

const wayWords = { direct: "From the node", relayed: "By way of the appliance", none: "" };
const wayHelp = {
  direct: "This browser is connected to the node itself",
  relayed:
    "This browser cannot reach the node itself: install the appliance's CA certificate (Settings), and see whether a firewall is between",
  none: "",
};

/** What is so now, and what was so at any time since the board was started. */
const flags = [
  ["power.under-voltage", "under-voltage"],
  ["cpu.throttled", "throttled"],
  ["cpu.capped", "clock capped"],
  ["cpu.soft-limit", "soft temperature limit"],
] as const;

function powerWords(values: LiveStatus["values"]): { text: string; bad: boolean } | undefined {
  const is = flags.filter(([metric]) => (values[metric] ?? 0) > 0).map(([, word]) => word);
  const was = flags
    .filter(([metric, word]) => (values[`${metric}.since-boot`] ?? 0) > 0 && !is.includes(word))
    .map(([, word]) => `${word} since boot`);
  if (is.length + was.length > 0) return { text: [...is, ...was].join(", "), bad: true };
  return flags.some(([metric]) => values[metric] !== undefined) ? { text: "good", bad: false } : undefined;
}

function Now({ status }: { status: LiveStatus }) {
  const { values, facts, processes } = status;
  if (status.fault !== undefined) return <Notice tone="bad">What the node tells of its status is malformed: {status.fault}.</Notice>;
  const power = powerWords(values);
  const cores = partsOf(values, "cpu.busy");
  const speeds = partsOf(values, "net.speed");
  return (
    <section class="card" aria-label="Status">
      <div class="card-head">
        <h2>Status</h2>
        {isSilent(status, now.value) ? (
          <span class="warn-text">
            Silent: last heard <Ago at={status.heardAt} />
          </span>
        ) : (
          <Badge
            icon={status.way === "direct" ? "online" : "forth"}
            tone={status.way === "direct" ? "good" : "quiet"}
            text={wayWords[status.way]}
            help={wayHelp[status.way]}
          />
        )}
      </div>
      <div class="status-grid">
        <div>
          <h3>CPU</h3>
          <ul class="cores">
            {cores.map(([core, busy]) => (
              <li key={core} title={`Core ${core}: ${Math.round(busy)} %`}>
                <i style={{ height: `${Math.min(100, busy)}%` }} />
                <span class="spoken">{`Core ${core}: ${Math.round(busy)} %`}</span>
              </li>
            ))}
          </ul>
          <p class="dim small">
            {values["cpu.clock"] !== undefined && `${Math.round(values["cpu.clock"])} MHz`}
            {values["cpu.clock.nominal"] !== undefined && ` of ${Math.round(values["cpu.clock.nominal"])}`}
            {facts["governor"] !== undefined && `, ${facts["governor"]}`}
          </p>
        </div>
        <div>
          <h3>Disks</h3>
          {partsOf(values, "fs.used").map(([mount, used]) => (
            <div class="fs" key={mount}>
              <span>{mount}</span>
              <Bar fraction={used / 100} label={`${mount} used`} />
              <span class="number">
                {Math.round(used)} %{values[`fs.size[${mount}]`] !== undefined && ` of ${bytes(values[`fs.size[${mount}]`]!)}`}
                {(values[`fs.read-only[${mount}]`] ?? 0) > 0 && <b class="bad-text"> read-only</b>}
              </span>
            </div>
          ))}
        </div>
        <div>
          <h3>Power and heat</h3>
          <p>{values["temperature"] === undefined ? "Temperature unknown" : `${values["temperature"].toFixed(1)} °C`}</p>
          {power && <p class={power.bad ? "warn-text" : undefined}>{power.bad ? power.text : "Power good"}</p>}
          {values["fan"] !== undefined && <p>{`Fan ${Math.round(values["fan"])} rpm`}</p>}
          {speeds.map(([name, megabits]) => (
            <p key={name}>{`${name} ${linkSpeed(megabits)}`}</p>
          ))}
        </div>
        <div>
          <h3>System</h3>
          {values["uptime"] !== undefined && <p>Up {duration(values["uptime"] * 1000)}</p>}
          {facts["logged-in"] !== undefined && <p>Logged in: {facts["logged-in"]}</p>}
          {values["clock.offset"] !== undefined && Math.abs(values["clock.offset"]) > 2 && (
            <p class="warn-text">{`Clock off by ${values["clock.offset"].toFixed(1)} s`}</p>
          )}
          {facts["last-kernel-error"] !== undefined && <p class="warn-text">{facts["last-kernel-error"]}</p>}
        </div>
      </div>
      {processes.length > 0 && (
        <details class="top-processes">
          <summary>Processes that use most</summary>
          <table class="processes">
            <thead>
              <tr>
                <th>Process</th>
                <th class="number">CPU</th>
                <th class="number">Memory</th>
              </tr>
            </thead>
            <tbody>
              {processes.map((process) => (
                <tr key={process.id}>
                  <td>
                    {process.name} <span class="dim">{process.id}</span>
                  </td>
                  <td class="number">{`${process.busy.toFixed(1)} %`}</td>
                  <td class="number">{bytes(process.memory)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </details>
      )}
    </section>
  );
}
