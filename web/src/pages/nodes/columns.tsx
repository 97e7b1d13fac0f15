import { computed } from "@preact/signals";
import type { NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Badge, LifecycleBadge, LinkBadge, MarkBadge } from "../../components/Badge";
import { Bar, phaseLine } from "../../components/Progress";
import { ShortModel } from "../../components/ShortModel";
import type { Column } from "../../components/Table";
import { Tags } from "../../components/Tags";
import { bytes, memory, switchWords } from "../../lib/format";
import { remembered } from "../../lib/remembered";
import { kindWords, taskWords } from "../../lib/words";

/** What is being done to the node at this moment. */
function Doing({ node }: { node: NodeView }) {
  const { task } = node;
  if (task === undefined) return <span class="dim">–</span>;
  const running = task.state === "running" && task.phase !== "";
  const line = running ? phaseLine(task) : taskWords[task.state].toLowerCase();
  return (
    <a class="doing" href={`/jobs/${task.jobId}`}>
      <span>
        {kindWords[task.kind]}: {line}
      </span>
      {running && <Bar fraction={task.fraction ?? null} label={`${kindWords[task.kind]} ${node.name}`} />}
    </a>
  );
}

/** Memory and disks in few words. */
function parts({ inventory, revision }: NodeView): string {
  const disks = inventory.disks.map((d) => `${bytes(d.sizeBytes)} ${d.kind}`);
  return [memory(revision?.memoryBytes ?? inventory.memoryBytes), ...(disks.length > 0 ? disks : ["no disk"])].join(", ");
}

/** Where it is, and its tags. */
function Labels({ node }: { node: NodeView }) {
  if (node.location === "" && node.tags.length === 0) return <span class="dim">–</span>;
  return (
    <span class="labels-cell" title={[node.location, ...node.tags].filter(Boolean).join(", ")}>
      {node.location !== "" && <span>{node.location}</span>}
      {node.tags.length > 0 && <Tags tags={node.tags} />}
    </span>
  );
}

const none = <span class="dim">–</span>;

/** All that can be shown. The name and the state always are. */
export const nodeColumns: readonly Column<NodeView>[] = [
  {
    id: "name",
    title: "Name",
    width: "minmax(14.5rem, 1.2fr)",
    cell: (n) => (
      <>
        <a class="name" href={`/nodes/${n.id}`}>
          {n.name}
        </a>
        {/* There is room for one: what a person has to decide goes first. */}
        {n.wantsApproval ? (
          <Badge icon="key" tone="warn" text="New key" help="A board with another key claims to be this node" />
        ) : (
          <MarkBadge mark={n.mark} />
        )}
      </>
    ),
  },
  {
    id: "state",
    title: "State",
    width: "12.8rem",
    cell: (n) => (
      <span class="axes">
        <LinkBadge state={n.link} />
        <LifecycleBadge state={n.lifecycle} />
      </span>
    ),
  },
  { id: "task", title: "Task", width: "minmax(9.5rem, 1.2fr)", cell: (n) => <Doing node={n} /> },
  {
    id: "image",
    title: "Image",
    width: "minmax(4rem, 1fr)",
    cell: (n) => n.imageName ?? (n.image === undefined ? none : <span class="dim">a deleted one</span>),
  },
  {
    id: "model",
    title: "Model",
    width: "minmax(7rem, 1fr)",
    cell: (n) => <ShortModel of={n.inventory.model} />,
    minor: true,
  },
  {
    id: "parts",
    title: "Parts",
    width: "minmax(8.5rem, 0.8fr)",
    cell: (n) => <span title={`${n.inventory.architecture}, ${parts(n)}`}>{parts(n)}</span>,
    minor: true,
  },
  { id: "labels", title: "Labels", width: "minmax(6rem, 1.5fr)", cell: (n) => <Labels node={n} />, minor: true },
  { id: "address", title: "Address", width: "6.6rem", cell: (n) => n.address ?? none },
  { id: "mac", title: "MAC address", width: "minmax(0, 8.5rem)", cell: (n) => n.inventory.interfaces[0]?.mac ?? none },
  { id: "serial", title: "Serial number", width: "minmax(0, 10rem)", cell: (n) => n.inventory.serial || none },
  {
    id: "switch",
    title: "Switch port",
    width: "minmax(0, 10rem)",
    cell: (n) => n.inventory.interfaces.flatMap((i) => (i.switch ? [switchWords(i.switch)] : [])).join(", ") || none,
  },
  { id: "system", title: "System", width: "minmax(0, 10rem)", cell: (n) => n.inventory.system || none },
  {
    id: "temperature",
    title: "Temperature",
    width: "minmax(0, 6.5rem)",
    align: "end",
    cell: (n) => (n.health?.temperatureCelsius === undefined ? none : `${Math.round(n.health.temperatureCelsius)} °C`),
  },
  {
    id: "seen",
    title: "Last seen",
    width: "5.2rem",
    cell: (n) => (n.link === "offline" ? <Ago at={n.lastSeen} /> : <span class="dim">now</span>),
  },
];

const fixed = ["name", "state"];

/** Those that a reader may leave out. */
export const optionalColumns = nodeColumns.filter((c) => !fixed.includes(c.id));

export const usualColumns: readonly string[] = ["task", "image", "model", "labels", "address", "seen"];

const isChoice = (value: unknown): value is readonly string[] => Array.isArray(value) && value.every((v) => typeof v === "string");

export const chosenColumns = remembered<readonly string[]>("node-columns", usualColumns, isChoice);

export const shownColumns = computed(() => nodeColumns.filter((c) => fixed.includes(c.id) || chosenColumns.value.includes(c.id)));
