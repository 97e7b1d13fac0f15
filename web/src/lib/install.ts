import type { ImageView, NewJob, NodeView } from "../api/types";
import { bytes, count, dateTime } from "./format";
import { installTarget } from "./words";

/** An installation as it is typed: every field as its control has it. */
export interface InstallDraft {
  /** Ids of nodes that were picked one by one; null: the words choose. */
  picked: readonly string[] | null;
  select: string;
  /** Ids of those that were chosen when the first step was left: nobody is slipped in after it. */
  nodes: readonly string[];
  /** Of several architectures among the nodes, the one that is installed. */
  architecture: string;
  /** Digest. */
  image: string;
  /** It is an update: what people have on the nodes is kept. */
  update: boolean;
  /** All of the disk is written and read back before; not for an update. */
  testCard: boolean;
  /** Empty: none. */
  profile: string;
  pace: "at-once" | "canary" | "batches";
  canary: string;
  batch: string;
  most: string;
  stopAfter: string;
  attempts: string;
  /** Local date and time; empty: now. */
  begin: string;
  /** Seconds that users have who are logged in. */
  grace: number;
  message: string;
}

export const emptyInstall: InstallDraft = {
  picked: null,
  select: "",
  nodes: [],
  architecture: "",
  image: "",
  update: false,
  testCard: false,
  profile: "",
  pace: "at-once",
  canary: "1",
  batch: "10",
  most: "",
  stopAfter: "",
  attempts: "1",
  begin: "",
  grace: 0,
  message: "",
};

export interface InstallPlan {
  taken: readonly NodeView[];
  /** With the reason. */
  left: readonly { node: NodeView; why: string }[];
}

/** Who of the chosen nodes would be installed, or updated, and who would not and why. */
export function planInstall(chosen: readonly NodeView[], architecture: string, image?: ImageView, update = false): InstallPlan {
  const why = (node: NodeView): string => {
    const target = installTarget(node);
    if (node.inventory.architecture !== architecture) return `is ${node.inventory.architecture}, and an image is for one architecture`;
    if ("problem" in target) return target.problem;
    if (update && node.lifecycle !== "installed") return "has no system of which something could be kept";
    if (image && target.disk.sizeBytes < image.sizeBytes)
      return `its disk has ${bytes(target.disk.sizeBytes)}, and the image needs ${bytes(image.sizeBytes)}`;
    return "";
  };
  const all = chosen.map((node) => ({ node, why: why(node) }));
  return { taken: all.filter((n) => n.why === "").map((n) => n.node), left: all.filter((n) => n.why !== "") };
}

/** An update of this node writes the slot of its disk that is not in use; the system that runs stays until the new one has reported in. */
export const usesSlot = (node: NodeView, image: ImageView | undefined, update: boolean): boolean =>
  update && node.inventory.slot !== undefined && image !== undefined && image.slots > 1;

/** Architectures of nodes, that of the most first. */
export function architecturesOf(nodes: readonly NodeView[]): [architecture: string, nodes: number][] {
  const counts = new Map<string, number>();
  for (const { inventory } of nodes) counts.set(inventory.architecture, (counts.get(inventory.architecture) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** What the appliance is asked for. Fields that were left empty are left out. */
export function jobOf(draft: InstallDraft, taken: readonly NodeView[]): NewJob {
  const { pace, canary, batch, most, stopAfter, attempts } = draft;
  const rollout = {
    ...(pace === "canary" && { canary: Number(canary) }),
    ...(pace !== "at-once" && batch !== "" && { batch: Number(batch) }),
    ...(most !== "" && { maximumAtOnce: Number(most) }),
    ...(stopAfter.trim() !== "" && { stopAfter: stopAfter.trim() }),
  };
  const parameters = {
    ...(draft.update ? { update: true } : draft.testCard && { testCard: true }),
    ...(draft.profile !== "" && { profile: draft.profile }),
    ...(draft.grace > 0 && { graceSeconds: draft.grace, message: draft.message.trim() }),
  };
  return {
    kind: "install",
    nodes: taken.map((n) => n.id),
    image: draft.image,
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(Object.keys(rollout).length > 0 && { rollout }),
    ...(Number(attempts) > 1 && { retry: { attempts: Number(attempts) } }),
    ...(draft.begin !== "" && { notBefore: new Date(draft.begin).toISOString() }),
  };
}

/** "1 node first, then 10 at a time; stops after 3 failures". */
export function rolloutWords(draft: InstallDraft): string {
  const { pace, canary, batch, most, stopAfter, attempts } = draft;
  const rest = batch === "" ? "all others" : `${batch} at a time`;
  return [
    pace === "at-once" ? "all at once" : pace === "canary" ? `${count(Number(canary), "node")} first, then ${rest}` : rest,
    ...(most === "" ? [] : [`at most ${most} at the same time`]),
    ...(stopAfter.trim() !== "" ? [`stops after ${stopAfter.trim()} failed`] : pace === "at-once" ? [] : ["stops at the first failure"]),
    ...(Number(attempts) > 1 ? [`each is tried ${attempts} times`] : []),
  ].join("; ");
}

export const beginWords = (draft: InstallDraft) => (draft.begin === "" ? "now" : dateTime(new Date(draft.begin).getTime()));
