import type { DiskState, JobKind, JobView, Lifecycle, LinkState, NodeChange, NodeMark, NodeView, Role, TaskState } from "../api/types";

export const linkWords: Record<LinkState, string> = { offline: "Offline", "net-inst": "Installer ready", slave: "Online" };

export const linkHelp: Record<LinkState, string> = {
  offline: "Not connected: switched off, starting, or without network",
  "net-inst": "Connected from NetInst, the small system that installs",
  slave: "Connected from its installed system",
};

export const lifecycleWords: Record<Lifecycle, string> = {
  new: "New",
  installing: "Installing",
  installed: "Installed",
  unbootable: "Unbootable",
};

export const lifecycleHelp: Record<Lifecycle, string> = {
  new: "Nothing was ever installed from here; its disk is as it came",
  installing: "An installation is under way",
  installed: "The image on its disk is complete",
  unbootable: "An installation ended in the middle: the disk does not start until one ends well",
};

export const markWords: Record<Exclude<NodeMark, "none">, string> = { new: "Unreviewed", changed: "Changed" };

export const markHelp: Record<Exclude<NodeMark, "none">, string> = {
  new: "Nobody has acknowledged this board since it came",
  changed: "Its hardware, its firmware or its switch port has changed since somebody acknowledged it",
};

/** What a change is about. */
export const changeWords: Record<string, string> = {
  model: "Model",
  revision: "Revision",
  memory: "Memory",
  processors: "Processors",
  card: "Card",
  disks: "Disks",
  interfaces: "Network interfaces",
  firmware: "Firmware",
  switch: "Switch port",
  kernel: "Kernel",
  system: "System",
  slave: "Slave",
  address: "Address",
  name: "Name",
  tags: "Tags",
  location: "Location",
};

export const sourceWords: Record<NodeChange["source"], string> = { "net-inst": "NetInst", slave: "Slave", person: "a person" };

export const kindWords: Record<JobKind, string> = {
  install: "Install",
  reboot: "Reboot",
  shutdown: "Shut down",
  run: "Run",
  update: "Update packages",
  deploy: "Deploy files",
  firmware: "Update boot firmware",
  benchmark: "Measure",
};

/** "You may …" */
export const roleHelp: Record<Role, string> = {
  viewer: "see everything but secrets",
  operator: "see everything, and work with nodes, images, files, jobs, schedules and profiles",
  admin: "do everything: also choose who may sign in, change policy, network and backups, and read the audit log",
};

/** A job in few words: "Install debian-12". */
export function jobTitle(job: JobView): string {
  if (job.kind === "install") return `Install ${job.imageName ?? "an image that was deleted"}`;
  return [kindWords[job.kind], parameterWords(job)].filter((words) => words !== "").join(" ");
}

/** Whether the log of such a task is what commands wrote. */
export const hasOutput = (kind: JobKind): boolean => ["run", "update", "deploy", "firmware", "benchmark"].includes(kind);

/** What a job was ordered with, short enough for a title. */
export function parameterWords(job: Pick<JobView, "kind" | "parameters">): string {
  const { command, shell, packages, path, benchmark } = job.parameters ?? {};
  const byKind: Partial<Record<JobKind, string>> = {
    run: shell ?? command?.join(" ") ?? "",
    update: (packages ?? []).join(" "),
    deploy: `to ${path ?? ""}`,
    benchmark: benchmark ?? "",
  };
  const words = byKind[job.kind] ?? "";
  return words.length > 60 ? `${words.slice(0, 59)}…` : words;
}

export const taskWords: Record<TaskState, string> = {
  held: "Queued",
  waiting: "Waiting",
  sent: "Sent",
  running: "Running",
  succeeded: "Succeeded",
  failed: "Failed",
  cancelled: "Cancelled",
  "timed-out": "Timed out",
  skipped: "Skipped",
};

export const diskWords: Record<DiskState, string> = {
  untouched: "Disk untouched: not one byte was written",
  unbootable: "Disk partly written: it does not start until an installation ends well",
  installed: "Disk complete and read back",
};

/** A phase in words. */
export function phaseWords(phase: string): string {
  const words: Record<string, string> = {
    accepted: "accepted",
    staging: "preparing the next start",
    rebooting: "restarting",
    restarting: "restarting",
    checking: "checking",
    testing: "testing the card",
    writing: "writing",
    keeping: "giving the appliance what is kept",
    verifying: "reading back",
    configuring: "configuring",
    confirming: "looking at what runs now",
    starting: "starting the new system",
    trying: "trying the new system",
    "first-boot": "first start: packages and script",
    retrying: "waiting to try again",
    "going-down": "going down",
    "warning-users": "warning users",
    refresh: "fetching the lists of packages",
    upgrade: "upgrading packages",
    deploying: "writing files",
    measuring: "measuring, once the node is quiet",
  };
  return words[phase] ?? phase;
}

/**
 * The phases that this installation has, in their order, for a row of steps. Trying and confirming another slot are a part of its start.
 * @param phase The present one: it is always among them.
 */
export function installPhases(job: Pick<JobView, "parameters"> | undefined, phase: string): string[] {
  const { profile, update, testCard } = job?.parameters ?? {};
  const only: Record<string, boolean> = {
    staging: false,
    keeping: update === true,
    testing: testCard === true,
    "first-boot": profile !== undefined,
  };
  return ["staging", "checking", "keeping", "testing", "writing", "verifying", "configuring", "starting", "first-boot"].filter(
    (p) => p === phase || (only[p] ?? true),
  );
}

/** True if this is one of the states that a task does not leave. */
export function isOver(state: TaskState): boolean {
  return state === "succeeded" || state === "failed" || state === "cancelled" || state === "timed-out" || state === "skipped";
}

/** The disk that an installation will write, as NetInst chooses it: the only one that can be written. */
export function installTarget(node: NodeView): { disk: NodeView["inventory"]["disks"][number] } | { problem: string } {
  const writable = node.inventory.disks.filter((d) => !d.readOnly);
  const [only] = writable;
  if (only === undefined) return { problem: "no disk that can be written" };
  if (writable.length > 1) return { problem: `${writable.length} disks: NetInst will not guess, and refuse` };
  return { disk: only };
}
