import type { JobKind, JobParameters, Retry, Rollout } from "./jobs";

/** What a schedule makes at each run. */
export interface ScheduledJob {
  kind: JobKind;
  /** Resolved at each run. */
  select?: string;
  /** Ids: these nodes, at each run. */
  nodes?: string[];
  /** A name is looked up at each run; a digest stays. */
  image?: string;
  parameters?: JobParameters;
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

/** What a schedule does on a day. */
export interface CalendarEntry {
  /** "2026-11-25". */
  day: string;
  schedule: string;
  /** Those to come. */
  runs: number[];
  /** There are more on this day. */
  more: boolean;
  /** The jobs that it has made. */
  made: { job: string; at: number }[];
}
