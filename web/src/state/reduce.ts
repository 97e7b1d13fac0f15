import type {
  Alert,
  ApplianceEvent,
  BoardView,
  DiskCondition,
  ImageView,
  ImportView,
  JobView,
  NodeView,
  Policy,
  ScheduleView,
  UnapprovedBoard,
} from "../api/types";

/** Everything that the page knows of the appliance. Never changed in place. */
export interface Snapshot {
  nodes: ReadonlyMap<string, NodeView>;
  /** By MAC: those that were seen booting from the network. */
  boards: ReadonlyMap<string, BoardView>;
  images: ReadonlyMap<string, ImageView>;
  /** Newest first. */
  jobs: ReadonlyMap<string, JobView>;
  imports: ReadonlyMap<string, ImportView>;
  /** By name. */
  schedules: ReadonlyMap<string, ScheduleView>;
  policy: Policy | null;
  /** In the order in which they came. */
  unapproved: readonly UnapprovedBoard[];
  /** By node and rule. */
  alerts: ReadonlyMap<string, Alert>;
  /** Where it is not good, the appliance can write nothing. */
  disk: DiskCondition;
}

export const nothing: Snapshot = {
  nodes: new Map(),
  boards: new Map(),
  images: new Map(),
  jobs: new Map(),
  imports: new Map(),
  schedules: new Map(),
  policy: null,
  unapproved: [],
  alerts: new Map(),
  disk: "good",
};

/** Of a node and a rule there is one alert. */
export const alertKey = (alert: Alert) => `${alert.node} ${alert.rule}`;

/** The next snapshot. Parts that did not change stay the same objects, and so do rows that did not. */
export function reduce(before: Snapshot, events: readonly ApplianceEvent[]): Snapshot {
  const next = { ...before };
  // Each map is copied once a batch, however many events change it.
  const copied = new Set<keyof Snapshot>();
  function writable<K extends "nodes" | "boards" | "images" | "jobs" | "imports" | "schedules" | "alerts">(part: K): Map<string, unknown> {
    if (!copied.has(part)) {
      (next[part] as Map<string, unknown>) = new Map(next[part] as ReadonlyMap<string, unknown>);
      copied.add(part);
    }
    return next[part] as Map<string, unknown>;
  }
  for (const e of events) {
    switch (e.name) {
      case "node":
        writable("nodes").set(e.data.id, e.data);
        break;
      case "node-removed":
        writable("nodes").delete(e.data.id);
        break;
      case "health": {
        const node = next.nodes.get(e.data.id);
        if (node !== undefined) writable("nodes").set(e.data.id, { ...node, health: e.data.health });
        break;
      }
      case "boot":
        writable("boards").set(e.data.board.mac, e.data.board);
        break;
      case "image":
        writable("images").set(e.data.digest, e.data);
        break;
      case "image-removed":
        writable("images").delete(e.data.digest);
        break;
      case "import":
        writable("imports").set(e.data.id, e.data);
        break;
      case "job":
        writable("jobs").set(e.data.id, e.data);
        break;
      case "schedule":
        writable("schedules").set(e.data.name, e.data);
        break;
      case "schedule-removed":
        writable("schedules").delete(e.data.name);
        break;
      case "policy":
        next.policy = e.data;
        break;
      case "alert":
        writable("alerts").set(alertKey(e.data), e.data);
        break;
      case "disk":
        next.disk = e.data.disk;
        break;
      case "unapproved":
      case "alerts":
        break; // the list is read anew
      case "task":
      case "log":
        break; // for those who watch one job or one log
    }
  }
  return next;
}

/** Node names as people sort them: node-2 before node-10. */
const collator = new Intl.Collator("en", { numeric: true });

export function byName(a: { name: string }, b: { name: string }): number {
  return collator.compare(a.name, b.name);
}
