import type { Disk, Health, NetworkInterface, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Facts } from "../../components/Facts";
import { Bar } from "../../components/Progress";
import { bytes, duration, linkSpeed, memory, throttling } from "../../lib/format";

/** What the board is, what is plugged into it, where it is plugged in, and what runs on it. */
export function InventoryPart({ node }: { node: NodeView }) {
  const { inventory: i, revision } = node;
  return (
    <section class="card" aria-label="Inventory">
      <h2>Board</h2>
      <Facts
        facts={[
          ["Model", i.model],
          ["Serial", i.serial],
          [
            "Revision",
            revision
              ? [revision.revision, revision.maker && `by ${revision.maker}`, `code ${i.revision}`].filter(Boolean).join(", ")
              : i.revision,
          ],
          ["Memory", memory(revision?.memoryBytes ?? i.memoryBytes)],
          ["Processors", `${i.processors} × ${i.architecture}${revision?.processor ? ` (${revision.processor})` : ""}`],
          ["Firmware", i.firmware],
          ["Id", <code>{node.id}</code>],
          ["First seen", <Ago at={node.firstSeen} />],
        ]}
      />
      <h2>Software</h2>
      <Facts
        facts={[
          ["System", i.system],
          ["Kernel", i.kernel],
          ["Slot", i.slot === undefined ? "" : `${i.slot} of two`],
          [node.link === "net-inst" ? "NetInst" : "Slave", node.version],
          ["Image", node.imageName ?? (node.image === undefined ? "" : <code>{node.image.slice(0, 16)}</code>)],
        ]}
      />
      <h2>Cards and disks</h2>
      {i.disks.length === 0 ? <p class="dim">None that the board reports.</p> : i.disks.map((d) => <DiskFacts key={d.name} disk={d} />)}
      <h2>Network</h2>
      {i.interfaces.length === 0 ? (
        <p class="dim">None that the board reports.</p>
      ) : (
        i.interfaces.map((n) => <InterfaceFacts key={n.name} port={n} />)
      )}
    </section>
  );
}

function DiskFacts({ disk }: { disk: Disk }) {
  const { card } = disk;
  const worn = card?.lifeUsedPercent !== undefined && card.lifeUsedPercent >= 80;
  return (
    <div>
      <h3>
        <code>{disk.name}</code> {bytes(disk.sizeBytes)} {kinds[disk.kind] ?? disk.kind}
        {disk.readOnly && <span class="warn-text"> read-only</span>}
      </h3>
      <Facts
        facts={[
          ["Product", [card?.manufacturer, disk.model].filter(Boolean).join(" ")],
          ["Made", card?.date ?? ""],
          ["Serial", <span class="break">{card?.serial || disk.serial}</span>],
          [
            "Life time",
            card?.lifeUsedPercent === undefined ? (
              ""
            ) : (
              <span class={worn ? "warn-text" : undefined}>
                {card.lifeUsedPercent > 100 ? "exceeded" : `up to ${card.lifeUsedPercent} % used`}
              </span>
            ),
          ],
          ["Reserve", card?.reserveUsed ?? ""],
        ]}
      />
    </div>
  );
}

/** Kinds of disks in words. */
const kinds: Record<string, string> = { sd: "card", nvme: "NVMe", usb: "USB", virtio: "virtual disk", ata: "SATA", other: "disk" };

function InterfaceFacts({ port }: { port: NetworkInterface }) {
  const at = port.switch;
  return (
    <div>
      <h3>
        <code>{port.name}</code> {port.linkUp ? port.speedMbit > 0 && linkSpeed(port.speedMbit) : <span class="dim">no link</span>}
      </h3>
      <Facts
        facts={[
          ["Addresses", port.addresses.join(", ")],
          ["MAC", port.mac],
          ["Driver", port.driver],
          ["Switch", at ? [at.systemName || at.chassis, at.managementAddress].filter(Boolean).join(", ") : ""],
          ["Switch port", at ? [at.port, at.portDescription !== at.port && at.portDescription].filter(Boolean).join(", ") : ""],
        ]}
      />
    </div>
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
          [
            "Power",
            warnings.length === 0 ? health.throttled === undefined ? "" : "good" : <span class="warn-text">{warnings.join(", ")}</span>,
          ],
        ]}
      />
    </section>
  );
}
