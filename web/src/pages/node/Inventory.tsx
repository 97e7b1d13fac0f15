import type { ComponentChildren } from "preact";
import type { Health, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Bar } from "../../components/Progress";
import { bytes, duration, memory, throttling } from "../../lib/format";

export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts
        .filter(([, value]) => value !== "" && value !== undefined)
        .map(([title, value]) => (
          <div key={title}>
            <dt>{title}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

/** What the board is and what is plugged into it. */
export function InventoryPart({ node }: { node: NodeView }) {
  const i = node.inventory;
  return (
    <section class="card">
      <h2>Board</h2>
      <Facts
        facts={[
          ["Model", i.model],
          ["Id", <code>{node.id}</code>],
          ["Serial", i.serial],
          ["Revision", i.revision],
          ["Firmware", i.firmware],
          ["Processors", `${i.processors} × ${i.architecture}`],
          ["Memory", memory(i.memoryBytes)],
          ["System", i.system],
          ["Kernel", i.kernel],
          ["Image", node.imageName ?? (node.image === undefined ? "" : <code>{node.image.slice(0, 16)}</code>)],
          ["First seen", <Ago at={node.firstSeen} />],
        ]}
      />
      <h3>Disks</h3>
      {i.disks.length === 0 ? (
        <p class="dim">None that the board reports.</p>
      ) : (
        <ul class="plain-list">
          {i.disks.map((d) => (
            <li key={d.name}>
              <code>{d.name}</code> {bytes(d.sizeBytes)} {d.kind}
              {d.model !== "" && `, ${d.model}`}
              {d.serial !== "" && <span class="dim"> {d.serial}</span>}
              {d.readOnly && <span class="warn-text"> read-only</span>}
            </li>
          ))}
        </ul>
      )}
      <h3>Network interfaces</h3>
      <ul class="plain-list">
        {i.interfaces.map((n) => (
          <li key={n.name}>
            <code>{n.name}</code> {n.mac} {n.linkUp ? n.addresses.join(", ") || "no address" : <span class="dim">no link</span>}
            {n.driver !== "" && <span class="dim"> {n.driver}</span>}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** How the board feels. */
export function HealthPart({ node, health }: { node: NodeView; health: Health }) {
  const used = Math.max(0, node.inventory.memoryBytes - health.memoryAvailableBytes);
  const warnings = health.throttled === undefined ? [] : throttling(health.throttled);
  return (
    <section class="card">
      <h2>Health</h2>
      <Facts
        facts={[
          ["Temperature", health.temperatureCelsius === undefined ? "" : `${health.temperatureCelsius.toFixed(1)} °C`],
          ["Load", `${health.load.toFixed(2)} on ${node.inventory.processors} processors`],
          [
            "Memory in use",
            <>
              {memory(used)} of {memory(node.inventory.memoryBytes)}
              <Bar fraction={Math.min(1, used / node.inventory.memoryBytes)} label="Memory in use" />
            </>,
          ],
          ["Up", duration(health.uptimeSeconds * 1000)],
          ["Power", warnings.length === 0 ? (health.throttled === undefined ? "" : "good") : <span class="warn-text">{warnings.join(", ")}</span>],
        ]}
      />
    </section>
  );
}
