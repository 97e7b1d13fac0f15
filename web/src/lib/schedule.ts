import type { JobKind, NewSchedule, ScheduledJob } from "../api/types";
import { count, readersZone } from "./format";
import { kindWords } from "./words";

/** A schedule as it is typed: every field as its control has it. */
export interface Draft {
  name: string;
  cron: string;
  zone: string;
  kind: JobKind;
  image: string;
  /** Name of the customisation profile; empty: none. */
  profile: string;
  /** What people have on the nodes is kept. */
  update: boolean;
  select: string;
  missed: "skip" | "run-once";
  windowStart: string;
  windowMinutes: string;
  canary: string;
  batch: string;
  stopAfter: string;
}

export const emptyDraft: Draft = {
  name: "",
  cron: "0 3 * * SUN",
  zone: readersZone,
  kind: "reboot",
  image: "",
  profile: "",
  update: false,
  select: "",
  missed: "skip",
  windowStart: "",
  windowMinutes: "240",
  canary: "",
  batch: "",
  stopAfter: "",
};

/** What the appliance is asked for. Fields that were left empty are left out. */
export function scheduleOf(draft: Draft): NewSchedule {
  const { canary, batch, stopAfter } = draft;
  const rollout = {
    ...(canary !== "" && { canary: Number(canary) }),
    ...(batch !== "" && { batch: Number(batch) }),
    ...(stopAfter.trim() !== "" && { stopAfter: stopAfter.trim() }),
  };
  const parameters = {
    ...(draft.update && { update: true }),
    ...(draft.profile !== "" && { profile: draft.profile }),
  };
  return {
    name: draft.name.trim(),
    cron: draft.cron.trim(),
    zone: draft.zone.trim(),
    missed: draft.missed,
    job: {
      kind: draft.kind,
      select: draft.select.trim(),
      ...(draft.kind === "install" && { image: draft.image, ...(Object.keys(parameters).length > 0 && { parameters }) }),
      ...(Object.keys(rollout).length > 0 && { rollout }),
    },
    ...(draft.windowStart !== "" && { window: { start: draft.windowStart, minutes: Number(draft.windowMinutes) } }),
  };
}

/** "Install debian-12 on tag=camera". */
export function jobWords(job: ScheduledJob): string {
  const { profile, update } = job.parameters ?? {};
  const what =
    job.kind === "install"
      ? `${update ? "Update to" : "Install"} ${job.image ?? ""}${profile === undefined ? "" : ` with profile ${profile}`}`
      : kindWords[job.kind];
  return `${what} on ${job.select === undefined ? count(job.nodes?.length ?? 0, "node") : job.select === "all" ? "all nodes" : job.select}`;
}

/** A line that chooses days of the month and of the week runs on either of them (POSIX, crontab). */
export function runsOnEitherDay(cron: string): boolean {
  const [, , dayOfMonth, , dayOfWeek] = cron.trim().split(/\s+/);
  return [dayOfMonth, dayOfWeek].every((field) => field !== undefined && !/^[*?]/.test(field));
}
