import { type Signal, signal } from "@preact/signals";
import { api } from "../api/client";
import { openRelay } from "../api/relay";
import type { StatusMember, StatusMessage } from "../api/types";
import { applied, type NodeStatus, nothingKnown } from "../lib/status";

/** How a value came: from the node itself, by way of the appliance, or not at all. */
export type Way = "direct" | "relayed" | "none";

export interface LiveStatus extends NodeStatus {
  way: Way;
  /** When the last message came, by this browser's clock. */
  heardAt: number;
  /** What the node told made no sense. */
  fault?: string;
}

/** What somebody wants to see of a node. */
interface Interest {
  /** It is on the screen: worth a socket of its own. */
  near: boolean;
  /** Everything, and not only these metrics. */
  full: boolean;
}

/** A browser opens some 250 sockets at most. */
const mostSockets = 200;
const settleMilliseconds = 250;
const openMilliseconds = 4000;
const renewMilliseconds = 4 * 60_000;
/** A node that could not be reached is not tried again for so long. */
const avoidMilliseconds = 5 * 60_000;
const retryMilliseconds = 2000;
const membersMilliseconds = 30_000;

const silent: LiveStatus = { ...nothingKnown, way: "none", heardAt: 0 };
const statuses = new Map<string, Signal<LiveStatus>>();
const interests = new Map<string, Set<Interest>>();
const links = new Map<string, Link>();
const avoidedUntil = new Map<string, number>();

let tileMetrics: string[] = [];
let members = new Map<string, string>();
let membersAt = 0;
let settling: ReturnType<typeof setTimeout> | undefined;
let relayed = { key: "", stop: () => {} };

/** Without a word for so long, what is shown is old. */
const silenceMilliseconds = { direct: 5000, relayed: 35_000, none: Number.POSITIVE_INFINITY };

export const isSilent = (status: LiveStatus, at: number) => status.way !== "none" && at - status.heardAt > silenceMilliseconds[status.way];

/** How a node is, now; follows it as long as somebody watches it. */
export function statusOf(node: string): Signal<LiveStatus> {
  const status = statuses.get(node) ?? signal(silent);
  statuses.set(node, status);
  return status;
}

/** Watches a node until the returned function is called. */
export function watchStatus(node: string, interest: Interest): () => void {
  const its = interests.get(node) ?? new Set();
  interests.set(node, its.add(interest));
  settle();
  return () => {
    its.delete(interest);
    if (its.size === 0) interests.delete(node);
    settle();
  };
}

/** Sets what is told of nodes of which not everything is wanted. */
export function setTileMetrics(metrics: string[]): void {
  if (metrics.join() === tileMetrics.join()) return;
  tileMetrics = metrics;
  for (const [node, link] of links) if (!link.full) drop(node, link);
  settle();
}

class Link {
  readonly socket: WebSocket;
  sequence = -1;
  renewAt = Date.now() + renewMilliseconds;
  isOpen = false;
  readonly timer: ReturnType<typeof setTimeout>;

  constructor(
    readonly node: string,
    url: string,
    token: string,
    readonly full: boolean,
  ) {
    this.socket = new WebSocket(full ? url : `${url}?metrics=${tileMetrics.join()}`, ["bootstrap.status.1", `token.${token}`]);
    this.timer = setTimeout(() => this.socket.close(), openMilliseconds);
    this.socket.onopen = () => {
      this.isOpen = true;
      clearTimeout(this.timer);
    };
    this.socket.onmessage = (e) => this.hear(JSON.parse(e.data as string) as StatusMessage);
    this.socket.onclose = () => this.over();
  }

  close(): void {
    clearTimeout(this.timer);
    this.socket.onclose = null;
    this.socket.close();
  }

  private hear(message: StatusMessage): void {
    // Where one is missing, all of it is wanted again.
    if (message.sequence !== this.sequence + 1) {
      this.socket.close();
      return;
    }
    this.sequence = message.sequence;
    take(this.node, message, "direct");
  }

  private over(): void {
    clearTimeout(this.timer);
    if (links.get(this.node) !== this) return;
    links.delete(this.node);
    // Refused or never reached: by way of the appliance for a while.
    if (!this.isOpen) avoidedUntil.set(this.node, Date.now() + avoidMilliseconds);
    setTimeout(settle, this.isOpen ? retryMilliseconds : 0);
  }
}

function take(node: string, message: StatusMessage | undefined, way: Way, fault?: string): void {
  const status = statusOf(node);
  const next = message === undefined ? (fault ?? "") : applied(status.value, message);
  status.value = typeof next === "string" ? { ...silent, way, heardAt: Date.now(), fault: next } : { ...next, way, heardAt: Date.now() };
}

function drop(node: string, link: Link): void {
  links.delete(node);
  link.close();
}

/** Many tiles come and go at once: what is to be watched is looked at when they have come to rest. */
function settle(): void {
  settling ??= setTimeout(() => {
    settling = undefined;
    void arrange();
  }, settleMilliseconds);
}

const wants = (node: string, what: keyof Interest) => [...(interests.get(node) ?? [])].some((interest) => interest[what]);

async function arrange(): Promise<void> {
  try {
    if (interests.size > 0 && Date.now() - membersAt > membersMilliseconds) {
      membersAt = Date.now();
      members = new Map((await api.statusMembers()).map((m: StatusMember) => [m.node, m.url]));
    }
    const direct = [...interests.keys()]
      .filter((node) => wants(node, "near") && members.has(node) && (avoidedUntil.get(node) ?? 0) < Date.now())
      .slice(0, mostSockets);
    const isDirect = new Set(direct);
    for (const [node, link] of links) if (!isDirect.has(node) || (wants(node, "full") && !link.full)) drop(node, link);
    const missing = direct.filter((node) => !links.has(node));
    if (missing.length > 0) {
      const { tokens } = await api.statusTokens(missing);
      for (const node of missing) {
        // Two may have been at it at once.
        if (!links.has(node)) links.set(node, new Link(node, members.get(node)!, tokens[node]!, wants(node, "full")));
      }
    }
  } catch {
    // Without the appliance there are no tokens: what is open goes on, and the rest is tried again.
    setTimeout(settle, retryMilliseconds);
  }
  arrangeRelay();
}

function arrangeRelay(): void {
  const rest = [...interests.keys()].filter((node) => !links.has(node)).sort();
  const full = rest.some((node) => wants(node, "full"));
  const key = rest.length === 0 ? "" : JSON.stringify([rest, full || tileMetrics]);
  if (key === relayed.key) return;
  relayed.stop();
  relayed = { key, stop: () => {} };
  if (rest.length === 0) return;
  relayed.stop = openRelay({ nodes: rest, intervalSeconds: rest.length > 50 ? 5 : 1, metrics: full ? undefined : tileMetrics }, (update) =>
    take(update.node, update.status, "relayed", update.fault),
  );
}

async function renew(): Promise<void> {
  const due = [...links.values()].filter((link) => link.isOpen && link.renewAt < Date.now());
  if (due.length === 0) return;
  for (const link of due) link.renewAt = Date.now() + 10_000; // should this attempt fail
  const { tokens } = await api.statusTokens(due.map((link) => link.node));
  for (const link of due) {
    link.renewAt = Date.now() + renewMilliseconds;
    link.socket.send(JSON.stringify({ token: tokens[link.node] }));
  }
}

setInterval(() => void renew().catch(() => undefined), 5000);
// Nodes come, go and change their addresses.
setInterval(() => interests.size > 0 && settle(), membersMilliseconds);
