import type { BoardView, BootSets, CalendarEntry, Conversation, Dhcp, DhcpSettings, FileView, ImageView, JobDetail, JobKind, JobParameters, JobView, LogLine, NodeChange, NodeEdit, NewSchedule, NodeView, Policy, ScheduleView, Status, TaskPhase } from "./types";

/** What the API refused, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** The sentence of a problem document (RFC 9457), or the best that can be said without one. */
export function problemText(status: number, body: string): string {
  try {
    const problem = JSON.parse(body) as { detail?: unknown; title?: unknown };
    if (typeof problem.detail === "string") return problem.detail;
    if (typeof problem.title === "string") return problem.title;
  } catch {
    // Not JSON: some proxy's page, or nothing at all.
  }
  return status === 0 ? "The appliance does not answer." : `The appliance answered with status ${status}.`;
}

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  let response: Response;
  try {
    response = await fetch(`/api/v1${path}`, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new ApiError(0, problemText(0, ""));
  }
  const text = await response.text();
  if (!response.ok) throw new ApiError(response.status, problemText(response.status, text));
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

const segment = encodeURIComponent;

/** "?a=1&b=2" of what is not empty. */
function queryOf(values: Record<string, string | number | boolean | undefined>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined && value !== "") query.set(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

/** Which jobs are listed, the newest first. */
export interface JobChoice {
  kind?: string;
  state?: string;
  text?: string;
  /** Those that were ordered before this one: the last of an earlier list. */
  before?: string;
  limit?: number;
}

export const api = {
  isSignedIn: () => call<{ signedIn: boolean }>("GET", "/session").then((s) => s.signedIn),
  signIn: (token: string) => call<void>("POST", "/session", { token }),
  signOut: () => call<void>("DELETE", "/session"),

  nodes: () => call<NodeView[]>("GET", "/nodes"),
  editNode: (id: string, edit: NodeEdit) => call<NodeView>("PATCH", `/nodes/${segment(id)}`, edit),
  acknowledge: (id: string) => call<NodeView>("POST", `/nodes/${segment(id)}/acknowledge`),
  locate: (id: string, seconds: number) => call<{ led: string; seconds: number }>("POST", `/nodes/${segment(id)}/locate`, { seconds }),
  nodeChanges: (id: string) => call<NodeChange[]>("GET", `/nodes/${segment(id)}/changes`),
  forget: (id: string) => call<void>("DELETE", `/nodes/${segment(id)}`),
  approve: (id: string) => call<NodeView>("POST", `/nodes/${segment(id)}/approve`),
  nodeLog: (id: string) => call<LogLine[]>("GET", `/nodes/${segment(id)}/log`),

  boards: () => call<BoardView[]>("GET", "/boot/boards"),
  conversations: (board: string) => call<Conversation[]>("GET", `/boot/boards/${segment(board)}/conversations`),

  images: () => call<ImageView[]>("GET", "/images"),
  /** @param force Also where nodes run it. */
  deleteImage: (digest: string, force: boolean) => call<{ freedBytes: number }>("DELETE", `/images/${segment(digest)}${queryOf({ force })}`),

  files: () => call<FileView[]>("GET", "/files"),

  jobs: (choice: JobChoice = {}) => call<JobView[]>("GET", `/jobs${queryOf({ ...choice })}`),
  job: (id: string) => call<JobDetail>("GET", `/jobs/${segment(id)}`),
  jobPhases: (id: string) => call<TaskPhase[]>("GET", `/jobs/${segment(id)}/phases`),
  order: (kind: JobKind, nodes: string[], image?: string, parameters?: JobParameters) =>
    call<JobDetail>("POST", "/jobs", { kind, nodes, image, parameters }),
  cancelJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/cancel`),
  pauseJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/pause`),
  resumeJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/resume`),
  retryJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/retry`),
  cancelTask: (id: string) => call<void>("POST", `/tasks/${segment(id)}/cancel`),
  taskLog: (id: string) => call<LogLine[]>("GET", `/tasks/${segment(id)}/log`),

  schedules: () => call<ScheduleView[]>("GET", "/schedules"),
  addSchedule: (schedule: NewSchedule) => call<ScheduleView>("POST", "/schedules", schedule),
  switchSchedule: (name: string, enabled: boolean) => call<ScheduleView>("PATCH", `/schedules/${segment(name)}`, { enabled }),
  runSchedule: (name: string) => call<JobDetail>("POST", `/schedules/${segment(name)}/run`),
  removeSchedule: (name: string) => call<void>("DELETE", `/schedules/${segment(name)}`),
  calendar: (from: string, days: number, zone: string) => call<CalendarEntry[]>("GET", `/calendar${queryOf({ from, days, zone })}`),
  cronRuns: (line: string, zone: string) => call<number[]>("GET", `/cron/runs?line=${segment(line)}&zone=${segment(zone)}`),

  status: () => call<Status>("GET", "/status"),

  bootSets: () => call<BootSets>("GET", "/boot/sets"),
  createBootSet: (image: string, name: string) => call<unknown>("POST", "/boot/sets", { image, name }),
  deleteBootSet: (name: string) => call<void>("DELETE", `/boot/sets/${segment(name)}`),
  useBootSet: (model: string, set: string | null) => call<BootSets>("PUT", `/boot/sets/use/${segment(model)}`, { set }),

  dhcp: () => call<Dhcp>("GET", "/dhcp"),
  setDhcp: (settings: DhcpSettings) => call<Dhcp>("PUT", "/dhcp", settings),

  policy: () => call<Policy>("GET", "/policy"),
  setPolicy: (policy: Policy) => call<Policy>("PUT", "/policy", policy),
};
