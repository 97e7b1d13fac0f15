import type { DiskState, NodeTask } from "../api/types";

/** What is known of a task that might be cancelled. */
export interface Cancellable extends Pick<NodeTask, "id" | "kind" | "state" | "phase"> {
  nodeName: string;
  disk?: DiskState;
  attempts?: number;
}

/**
 * What cancelling a task now would leave on its node's disk, in words.
 * @param runs The node's system runs meanwhile: what is written is the slot that it does not use.
 */
export function cancelConsequence(task: Cancellable, runs = false): string {
  const unsent = task.state === "waiting" || task.state === "held";
  if (task.kind === "run")
    return unsent ? "was not sent yet: nothing happens to the node" : "what it runs is asked to end, and killed after ten seconds";
  if (task.kind === "update")
    return unsent
      ? "was not sent yet: nothing happens to the node"
      : "its package manager is ended where it is: packages may be left half configured";
  if (task.kind === "deploy")
    return unsent ? "was not sent yet: nothing happens to the node" : "each file is as it was, or whole in its place";
  if (task.kind === "benchmark") return unsent ? "was not sent yet: nothing happens to the node" : "ends without a result";
  if (task.phase === "warning-users") return "goes on running: its users were warned for nothing";
  if (task.kind === "firmware" && task.phase === "staging")
    return "what is staged is taken back, unless its board writes it at once or restarts before the node hears of it";
  if (task.kind === "firmware" && (task.phase === "restarting" || task.phase === "confirming"))
    return "cannot be cancelled any more: it ends by what its board then runs";
  if (task.kind !== "install")
    return unsent ? "was not sent yet: nothing happens to the node" : "may go through before the node hears of it";
  const writes = task.phase === "testing" || task.phase === "writing" || task.phase === "verifying" || task.phase === "configuring";
  // By an attempt before this one.
  if (task.disk === "unbootable" && !writes) return "its disk is partly written already and will not start";
  switch (task.phase) {
    case "testing":
    case "writing":
    case "verifying":
    case "configuring":
      return runs
        ? "only the slot that is not in use is partly written: its system runs on"
        : "its disk is partly written and will not start until an installation ends well";
    case "trying":
    case "confirming":
      return "goes back by itself from its new system to the one before, unless that is confirmed before the node hears of it";
    case "starting":
      return "its disk is complete; only the proof that it starts is given up";
    case "first-boot":
      return "its system is installed and runs; packages or the script of its profile may be left half done";
    case "checking":
    case "keeping":
      return "its disk is untouched, unless writing begins before the node hears of it";
    default:
      return unsent && task.attempts === 0
        ? "its disk is untouched"
        : "its disk is untouched, unless the installation begins before the node hears of it";
  }
}
