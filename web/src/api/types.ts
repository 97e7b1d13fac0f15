// What the API says, word for word: camelCase, enum values in kebab-case, times in Unix milliseconds, absent for null.

/** What was last done to a node's disk. */
export type Lifecycle = "new" | "installing" | "installed" | "unbootable";

/** Which of the node's programs is connected. */
export type LinkState = "offline" | "net-inst" | "slave";

/** Whether a person has seen what a node is. */
export type NodeMark = "none" | "new" | "changed";

export type JobKind = "install" | "reboot" | "shutdown" | "run" | "update" | "deploy";

/** What a command is ordered with; one of `command` and `shell`. */
export interface RunParameters {
  command?: string[];
  shell?: string;
  user?: string;
  folder?: string;
  timeoutSeconds?: number;
}

export interface UpdateParameters {
  /** None: all that are installed. */
  packages?: string[];
}

/** Of installations, reboots and shutdowns: whoever is logged in is warned. */
export interface PowerParameters {
  graceSeconds?: number;
  message?: string;
}

export interface DeployParameters {
  /** Where it goes on the nodes. */
  path?: string;
}

export type JobParameters = RunParameters & UpdateParameters & PowerParameters & DeployParameters;

export type TaskState = "held" | "waiting" | "sent" | "running" | "succeeded" | "failed" | "cancelled" | "timed-out" | "skipped";

/** What a task left on the disk. */
export type DiskState = "untouched" | "unbootable" | "installed";

/** How the appliance itself is. */
export interface Status {
  version: string;
  /** What came from the network and made no sense, by protocol, since the start. */
  malformed: Record<string, number>;
}

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

/** How far something is within its phase; `total` 0 where the phase has no measure. */
export interface Measure {
  phase: string;
  done: number;
  total: number;
  unit: string;
  /** Units a second; 0 where it is not known. */
  rate: number;
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
  wantsApproval: boolean;
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

export interface ImageView {
  digest: string;
  name: string;
  architecture: string;
  /** What a disk must have at least. */
  sizeBytes: number;
  /** What is written to it. */
  usedBytes: number;
  /** What travels. */
  storedBytes: number;
  importedAt: number;
}

export interface ImportView {
  id: string;
  name: string;
  phase: "decoding" | "storing" | "done" | "refused";
  done: number;
  total: number;
  reason?: string;
}

export interface JobView {
  id: string;
  kind: JobKind;
  image?: string;
  imageName?: string;
  parameters?: JobParameters;
  createdAt: number;
  createdBy: string;
  ended: boolean;
  counts: Partial<Record<TaskState, number>>;
  rollout?: Rollout;
  retry?: Retry;
  paused: boolean;
  /** What the held tasks wait for, or why it stopped; empty where there is nothing to say. */
  note: string;
  /** The job whose failed nodes this one takes up again. */
  retryOf?: string;
  /** The job whose end it waits for. */
  after?: string;
  notBefore?: number;
  /** What has not begun by then is skipped. */
  beginBy?: number;
  /** The schedule that made it. */
  schedule?: string;
  dueAt?: number;
}

/** How a job goes from node to node. */
export interface Rollout {
  canary?: number;
  batch?: number;
  maximumAtOnce?: number;
  /** Seconds. */
  pauseBetween?: number;
  /** "3" or "10%". */
  stopAfter?: string;
  requireHealthy?: boolean;
}

export interface Retry {
  attempts: number;
  /** Seconds. */
  pause?: number;
}

/** What a schedule makes at each run. */
export interface ScheduledJob {
  kind: JobKind;
  /** Resolved at each run. */
  select?: string;
  /** Ids: these nodes, at each run. */
  nodes?: string[];
  /** A name is looked up at each run; a digest stays. */
  image?: string;
  rollout?: Rollout;
  retry?: Retry;
}

export interface NewSchedule {
  name: string;
  cron: string;
  /** IANA name. */
  zone: string;
  job: ScheduledJob;
  missed: "skip" | "run-once";
  window?: { start: string; minutes: number };
}

export interface ScheduleView extends NewSchedule {
  enabled: boolean;
  next?: number;
  lastJob?: string;
  lastAt?: number;
}

export interface TaskView extends Measure {
  id: string;
  jobId: string;
  node: string;
  nodeName: string;
  kind: JobKind;
  state: TaskState;
  cause: string;
  disk?: DiskState;
  attempts: number;
  cancelRequested: boolean;
  createdAt: number;
  sentAt?: number;
  phaseAt: number;
  endedAt?: number;
  /** Of the command that was run; 128 + n where signal n ended it. */
  exitCode?: number;
  /** What must be known although it succeeded; empty otherwise. */
  note: string;
}

export interface JobDetail {
  job: JobView;
  tasks: TaskView[];
}

export interface LogLine {
  id: number;
  node: string;
  task?: string;
  at: number;
  line: string;
}

export interface Policy {
  /** Architecture → digest of the image that new boards get. */
  installNewBoards: Record<string, string>;
  authorizedKeys: string[];
}

/** Boot files that were taken from an image. */
export interface BootSet {
  name: string;
  image: string;
  kernels: { section: string; file: string; version: string }[];
  bytes: number;
}

export interface BootSets {
  sets: BootSet[];
  /** Model ("all", "pi3", "pi4", "pi5") → name of the set that its boards use. */
  use: Record<string, string>;
}

export type DhcpMode = "proxy" | "full" | "off";

export interface DhcpSettings {
  mode: DhcpMode;
  /** "10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1" */
  pools: string[];
  /** "10.77.0.20=dc:a6:32:01:36:c2" or with a serial number. */
  reservations: string[];
  leaseMinutes: number;
  besideRivals: boolean;
}

export interface Lease {
  address: string;
  mac: string;
  node?: string;
  until: number;
}

export interface Dhcp {
  settings: DhcpSettings;
  /** Set on the command line. */
  fixed: boolean;
  running: boolean;
  /** Why it does not run. */
  fault?: string;
  interfaces: string[];
  leases: Lease[];
}

export type Severity = "good" | "notice" | "warning" | "fault";

/** A board as the wire shows it, before and after it is a node. */
export interface BoardView {
  mac: string;
  node?: string;
  program: string;
  /** Version of a Raspberry Pi's EEPROM, as far as it is known. */
  eeprom?: string;
  model?: string;
  serial?: string;
  uuid?: string;
  vendor?: string;
  interface?: string;
  address?: string;
  asksFor?: string;
  firstSeen: number;
  lastSeen: number;
  severity: Severity;
  headline: string;
}

export interface Finding {
  rule: string;
  severity: Severity;
  cause: string;
  evidence: string;
  change?: string;
}

interface BootTimes {
  at: number;
  until: number;
  count: number;
}

/** One line of a boot. */
export type BootEvent =
  | (BootTimes & { type: "dhcp"; client: string; asked: string; answered?: string; address?: string; chosenServer?: string; relay?: string })
  | (BootTimes & { type: "file"; protocol: "tftp" | "http"; path: string; outcome: string; bytes: number; length?: number; detail?: string })
  | (BootTimes & { type: "link"; stage: "net-inst" | "waiting" | "installing" | "slave" | "left"; detail?: string });

/** One boot, from the first DHCP message to the introduction. */
export interface Conversation {
  startedAt: number;
  lastAt: number;
  introduced: boolean;
  dropped: number;
  events: BootEvent[];
  findings: Finding[];
}

/** One server-sent event. */
export type ApplianceEvent =
  | { name: "node"; data: NodeView }
  | { name: "node-removed"; data: { id: string } }
  | { name: "image"; data: ImageView }
  | { name: "image-removed"; data: { digest: string } }
  | { name: "import"; data: ImportView }
  | { name: "job"; data: JobView }
  | { name: "task"; data: TaskView }
  | { name: "schedule"; data: ScheduleView }
  | { name: "schedule-removed"; data: { name: string } }
  | { name: "log"; data: LogLine[] }
  | { name: "policy"; data: Policy }
  | { name: "boot"; data: { board: BoardView; events: BootEvent[] } };
