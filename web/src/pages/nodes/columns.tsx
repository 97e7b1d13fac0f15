import type { NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Badge, LifecycleBadge, LinkBadge, MarkBadge } from "../../components/Badge";
import { Bar, phaseLine } from "../../components/Progress";
import type { Column } from "../../components/Table";
import { Tags } from "../../components/Tags";
import { bytes, memory } from "../../lib/format";
import { overallFraction, phaseFraction } from "../../lib/progress";
import { kindWords, taskWords } from "../../lib/words";

/** What is on the disk, or what is being done to the node at this moment. */
export function Doing({ node }: { node: NodeView }) {
  const { task } = node;
  if (task === undefined) return <LifecycleBadge state={node.lifecycle} />;
  const running = task.state === "running" && task.phase !== "";
  const line = running ? phaseLine(task) : taskWords[task.state].toLowerCase();
  const fraction = phaseFraction(task) === null && task.kind !== "install" ? null : overallFraction(task);
  return (
    <a class="doing" href={`/jobs/${task.jobId}`}>
      <span>
        {kindWords[task.kind]}: {line}
      </span>
      {running && <Bar fraction={fraction} label={`${kindWords[task.kind]} ${node.name}`} />}
    </a>
  );
}

function disks(node: NodeView): string {
  return node.inventory.disks.map((d) => `${bytes(d.sizeBytes)} ${d.kind}`).join(", ") || "none";
}

export const nodeColumns: readonly Column<NodeView>[] = [
  {
    id: "name",
    title: "Name",
    width: "minmax(7rem, 1.2fr)",
    cell: (n) => (
      <>
        <a class="name" href={`/nodes/${n.id}`}>
          {n.name}
        </a>
        <MarkBadge mark={n.mark} />
        {n.wantsApproval && <Badge icon="key" tone="warn" text="New key" help="A board with another key claims to be this node" />}
      </>
    ),
  },
  { id: "link", title: "Link", width: "7.2rem", cell: (n) => <LinkBadge state={n.link} /> },
  { id: "doing", title: "Disk and task", width: "minmax(10.5rem, 1.2fr)", cell: (n) => <Doing node={n} /> },
  { id: "image", title: "Image", width: "minmax(5rem, 1fr)", cell: (n) => n.imageName ?? (n.image ? n.image.slice(0, 12) : <span class="dim">–</span>) },
  { id: "model", title: "Model", width: "minmax(7rem, 1.5fr)", cell: (n) => <span title={n.inventory.model}>{n.inventory.model}</span>, minor: true },
  { id: "arch", title: "Arch", width: "4rem", cell: (n) => n.inventory.architecture, minor: true },
  { id: "ram", title: "RAM", width: "4.2rem", align: "end", cell: (n) => memory(n.inventory.memoryBytes), minor: true },
  { id: "disk", title: "Disk", width: "minmax(6rem, 0.6fr)", cell: (n) => <span title={disks(n)}>{disks(n)}</span>, minor: true },
  { id: "tags", title: "Tags", width: "minmax(4rem, 0.8fr)", cell: (n) => <Tags tags={n.tags} />, minor: true },
  {
    id: "location",
    title: "Location",
    width: "minmax(4.5rem, 0.7fr)",
    cell: (n) => (n.location === "" ? <span class="dim">–</span> : <span title={n.location}>{n.location}</span>),
    minor: true,
  },
  { id: "address", title: "Address", width: "8rem", cell: (n) => n.address ?? <span class="dim">–</span> },
  {
    id: "seen",
    title: "Last seen",
    width: "6.2rem",
    cell: (n) => (n.link === "offline" ? <Ago at={n.lastSeen} /> : <span class="dim">now</span>),
  },
];
