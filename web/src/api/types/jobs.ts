export type JobKind = "install" | "reboot" | "shutdown" | "run" | "update" | "deploy" | "firmware" | "benchmark";

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

/** Of installations, reboots, shutdowns and updates of boot firmware: whoever is logged in is warned. */
export interface PowerParameters {
  graceSeconds?: number;
  message?: string;
}

export interface FirmwareParameters {
  /** A person answers for the supply where a node cannot measure it. */
  powerChecked?: boolean;
}

export interface DeployParameters {
  /** Digest or name of a file that the appliance has. */
  file?: string;
  /** Where it goes on the nodes: the file itself, or the folder that the archive is unpacked in. */
  path?: string;
  /** The file is an archive (tar, plain or by gzip). */
  unpack?: boolean;
  owner?: string;
  group?: string;
  /** Octal, such as 0644. */
  mode?: string;
}

export interface InstallParameters {
  /** Name of the customisation profile. */
  profile?: string;
  /** What people have on the nodes is kept. */
  update?: boolean;
  /** The whole disk is written also where it has two slots. */
  whole?: boolean;
  /** All of the disk is written and read back before. */
  testCard?: boolean;
}

export interface BenchmarkParameters {
  /** Name of the benchmark. */
  benchmark?: string;
  allCores?: boolean;
}

export type JobParameters = BenchmarkParameters &
  RunParameters &
  UpdateParameters &
  PowerParameters &
  DeployParameters &
  InstallParameters &
  FirmwareParameters;

export interface NewJob {
  kind: JobKind;
  /** Ids. */
  nodes: string[];
  /** Digest. */
  image?: string;
  parameters?: JobParameters;
  rollout?: Rollout;
  retry?: Retry;
  /** RFC 3339; absent: now. */
  notBefore?: string;
  /** Nothing is sent for so long. */
  holdSeconds?: number;
}

export type TaskState = "held" | "waiting" | "sent" | "running" | "succeeded" | "failed" | "cancelled" | "timed-out" | "skipped";

/** What a task left on the disk. */
export type DiskState = "untouched" | "unbootable" | "installed";

/** How far something is within its phase; `total` 0 where the phase has no measure. */
export interface Measure {
  phase: string;
  done: number;
  total: number;
  unit: string;
  /** Units a second; 0 where it is not known. */
  rate: number;
  /** How far on the whole way, 0 to 1; absent: nobody knows. */
  fraction?: number;
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
  /** The selector by which its nodes were chosen. */
  select?: string;
  /** It is asked again when the job begins. */
  choosesAgain: boolean;
}

/** How a job goes from node to node. */
export interface Rollout {
  canary?: number;
  batch?: number;
  maximumAtOnce?: number;
  /** All that are at work together. */
  maximumWatts?: number;
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
  /** What must be known beside how it ended; empty where there is nothing. */
  note: string;
  /** That it does not get on, for as long as that is so; empty otherwise. */
  stall: string;
}

/** A task came to a state or phase. */
export interface TaskPhase {
  task: string;
  state: TaskState;
  /** Empty where the state has none. */
  phase: string;
  at: number;
}

export interface JobDetail {
  job: JobView;
  tasks: TaskView[];
}

/** What a node did, or is to do, in a job. */
export interface NodeJob {
  job: JobView;
  task: TaskView;
}
