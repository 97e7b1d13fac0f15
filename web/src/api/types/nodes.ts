import type { JobKind, Measure, TaskState } from "./jobs";

/** What was last done to a node's disk. */
export type Lifecycle = "new" | "installing" | "installed" | "unbootable";

/** Which of the node's programs is connected. */
export type LinkState = "offline" | "net-inst" | "slave";

/** Whether a person has seen what a node is. */
export type NodeMark = "none" | "new" | "changed";

/** A switch's port in the switch's own words (LLDP). */
export interface SwitchPort {
  chassis: string;
  port: string;
  portDescription: string;
  systemName: string;
  managementAddress: string;
}

export interface NetworkInterface {
  name: string;
  mac: string;
  linkUp: boolean;
  addresses: string[];
  driver: string;
  /** 0 where it is not known. */
  speedMbit: number;
  switch?: SwitchPort;
}

/** What an SD card or eMMC says of itself. */
export interface Card {
  type: "SD" | "MMC";
  manufacturer: string;
  product: string;
  date: string;
  serial: string;
  lifeUsedPercent?: number;
  reserveUsed: string;
}

export interface Disk {
  name: string;
  sizeBytes: number;
  blockSize: number;
  kind: string;
  model: string;
  serial: string;
  removable: boolean;
  readOnly: boolean;
  card?: Card;
}

export interface Inventory {
  id: string;
  architecture: string;
  model: string;
  serial: string;
  revision: string;
  firmware: string;
  memoryBytes: number;
  processors: number;
  interfaces: NetworkInterface[];
  disks: Disk[];
  kernel: string;
  system: string;
  /** Which of two places on its disk the running system has; left out where there is one. */
  slot?: "a" | "b";
}

/** What a Raspberry Pi's revision code says. */
export interface PiRevision {
  model: string;
  revision: string;
  memoryBytes: number;
  maker: string;
  processor: string;
}

export interface Health {
  uptimeSeconds: number;
  load: number;
  memoryAvailableBytes: number;
  temperatureCelsius?: number;
  /** The Pi's throttling flags: bits 0–3 now, 16–19 since the start. */
  throttled?: number;
}

export interface NodeTask extends Measure {
  id: string;
  jobId: string;
  kind: JobKind;
  state: TaskState;
}

export interface NodeView {
  id: string;
  name: string;
  lifecycle: Lifecycle;
  link: LinkState;
  address?: string;
  firstSeen: number;
  lastSeen: number;
  image?: string;
  imageName?: string;
  /** A board with another key says that it is this node. */
  wantsApproval: boolean;
  /** Fingerprint of the key that is this node; absent: none is. */
  key?: string;
  inventory: Inventory;
  health?: Health;
  task?: NodeTask;
  /** Of the program that was connected last. */
  version: string;
  revision?: PiRevision;
  tags: string[];
  note: string;
  location: string;
  mark: NodeMark;
  acknowledgedAt?: number;
}

/** A board whose key nobody has approved: no node. */
export interface UnapprovedBoard {
  /** Fingerprint of its key, 64 hex digits: what is approved. */
  key: string;
  /** The node that it says it is. */
  id: string;
  address: string;
  /** Why it waits. */
  reason: string;
  firstSeen: number;
  lastSeen: number;
  inventory: Inventory;
  /** The node of that id as it is known so far, by another key. */
  claims?: { id: string; name: string; key?: string; address?: string; lastSeen: number; link: LinkState; inventory: Inventory };
  /** The node that this very key is tied to: its card is in another board. */
  holder?: string;
}

/** What a person says of a node; what is absent stays as it is. */
export interface NodeEdit {
  name?: string;
  tags?: string[];
  note?: string;
  location?: string;
}

export interface NodeChange {
  id: number;
  at: number;
  source: "net-inst" | "slave" | "person";
  field: string;
  old: string;
  new: string;
  notable: boolean;
}

export interface LogLine {
  id: number;
  node: string;
  task?: string;
  at: number;
  line: string;
}
