import type {
  Alert,
  AlertRule,
  AlertRuleView,
  AllValues,
  AuditEntry,
  BackupPlan,
  Backups,
  Benchmark,
  BenchmarkDetails,
  BenchmarkGroup,
  BenchmarkResult,
  BoardView,
  BootSets,
  BurnIn,
  CaFingerprint,
  CalendarEntry,
  Conversation,
  Dhcp,
  DhcpSettings,
  FileView,
  ImageView,
  Invitation,
  JobDetail,
  JobView,
  LogLine,
  MadeToken,
  Metric,
  NewJob,
  NewSchedule,
  NewToken,
  NodeChange,
  NodeEdit,
  NodeHistory,
  NodeJob,
  NodeView,
  NotificationSettings,
  Notifications,
  Person,
  Policy,
  Profile,
  ProfileFault,
  ProfileFit,
  ProfilePreview,
  Role,
  ScheduleView,
  Session,
  Status,
  StatusMember,
  StatusTokens,
  TaskPhase,
  TokenView,
  UnapprovedBoard,
} from "./types";

/** What the API refused, in its own words. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    /** Of a profile: what is wrong at which place. */
    readonly faults: readonly ProfileFault[] = [],
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

/** What a refused profile says of its places. */
function faultsOf(body: string): ProfileFault[] {
  try {
    return (JSON.parse(body) as { faults?: ProfileFault[] }).faults ?? [];
  } catch {
    return []; // not JSON, as above
  }
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
  if (!response.ok) throw new ApiError(response.status, problemText(response.status, text), faultsOf(text));
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
  session: () => call<Session>("GET", "/session"),
  signIn: (by: { token: string } | { name: string; password: string }) => call<void>("POST", "/session", by),
  setPassword: (password: string, current?: string) => call<void>("PUT", "/session/password", { password, current }),
  caFingerprint: () => call<CaFingerprint>("GET", "/ca/fingerprint"),
  signOut: () => call<void>("DELETE", "/session"),

  benchmarks: () => call<Benchmark[]>("GET", "/benchmarks"),
  burnIns: (node: string) => call<BurnIn[]>("GET", `/burn-ins?node=${segment(node)}`),
  beginBurnIn: (node: string, set: "short" | "long") => call<BurnIn[]>("POST", "/burn-ins", { nodes: [node], set }),
  benchmarkResults: (of: { benchmark?: string; node?: string }) => call<BenchmarkResult[]>("GET", `/benchmarks/results${queryOf(of)}`),
  benchmarkResult: (task: string) => call<BenchmarkDetails>("GET", `/benchmarks/results/${segment(task)}`),
  benchmarkRanking: (benchmark: string) => call<BenchmarkGroup[]>("GET", `/benchmarks/ranking${queryOf({ benchmark })}`),

  nodes: () => call<NodeView[]>("GET", "/nodes"),
  editNode: (id: string, edit: NodeEdit) => call<NodeView>("PATCH", `/nodes/${segment(id)}`, edit),
  acknowledge: (id: string) => call<NodeView>("POST", `/nodes/${segment(id)}/acknowledge`),
  locate: (id: string, seconds: number) => call<{ led: string; seconds: number }>("POST", `/nodes/${segment(id)}/locate`, { seconds }),
  nodeChanges: (id: string) => call<NodeChange[]>("GET", `/nodes/${segment(id)}/changes`),
  forget: (id: string) => call<void>("DELETE", `/nodes/${segment(id)}`),
  unapproved: () => call<UnapprovedBoard[]>("GET", "/unapproved"),
  /** As they are shown: a board that says meanwhile that it is another node is not approved. */
  approve: (boards: readonly UnapprovedBoard[]) =>
    call<NodeView[]>("POST", "/unapproved/approve", { boards: boards.map(({ key, id, claims }) => ({ key, id, replaces: claims?.key })) }),
  reject: (key: string) => call<void>("DELETE", `/unapproved/${segment(key)}`),
  nodeJobs: (id: string) => call<NodeJob[]>("GET", `/nodes/${segment(id)}/jobs`),
  nodeLog: (id: string) => call<LogLine[]>("GET", `/nodes/${segment(id)}/log`),

  boards: () => call<BoardView[]>("GET", "/boot/boards"),
  conversations: (board: string) => call<Conversation[]>("GET", `/boot/boards/${segment(board)}/conversations`),

  images: () => call<ImageView[]>("GET", "/images"),
  publishImage: (digest: string, isPublic: boolean) => call<ImageView>("PATCH", `/images/${segment(digest)}`, { public: isPublic }),
  /** @param force Also where nodes run it. */
  deleteImage: (digest: string, force: boolean) =>
    call<{ freedBytes: number }>("DELETE", `/images/${segment(digest)}${queryOf({ force })}`),

  files: () => call<FileView[]>("GET", "/files"),

  jobs: (choice: JobChoice = {}) => call<JobView[]>("GET", `/jobs${queryOf({ ...choice })}`),
  job: (id: string) => call<JobDetail>("GET", `/jobs/${segment(id)}`),
  jobPhases: (id: string) => call<TaskPhase[]>("GET", `/jobs/${segment(id)}/phases`),
  order: (job: NewJob) => call<JobDetail>("POST", "/jobs", job),
  cancelJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/cancel`),
  undoJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/undo`),
  pauseJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/pause`),
  resumeJob: (id: string) => call<JobDetail>("POST", `/jobs/${segment(id)}/resume`),
  /** @param node For this one alone; absent: for all that failed. */
  retryJob: (id: string, holdSeconds = 0, node?: string) =>
    call<JobDetail>("POST", `/jobs/${segment(id)}/retry${queryOf({ holdSeconds, node })}`),
  cancelTask: (id: string) => call<void>("POST", `/tasks/${segment(id)}/cancel`),
  jobLog: (id: string) => call<LogLine[]>("GET", `/jobs/${segment(id)}/log`),
  taskLog: (id: string) => call<LogLine[]>("GET", `/tasks/${segment(id)}/log`),

  schedules: () => call<ScheduleView[]>("GET", "/schedules"),
  addSchedule: (schedule: NewSchedule) => call<ScheduleView>("POST", "/schedules", schedule),
  switchSchedule: (name: string, enabled: boolean) => call<ScheduleView>("PATCH", `/schedules/${segment(name)}`, { enabled }),
  runSchedule: (name: string) => call<JobDetail>("POST", `/schedules/${segment(name)}/run`),
  removeSchedule: (name: string) => call<void>("DELETE", `/schedules/${segment(name)}`),
  calendar: (from: string, days: number, zone: string) => call<CalendarEntry[]>("GET", `/calendar${queryOf({ from, days, zone })}`),
  cronRuns: (line: string, zone: string) => call<number[]>("GET", `/cron/runs?line=${segment(line)}&zone=${segment(zone)}`),

  status: () => call<Status>("GET", "/status"),
  alerts: () => call<Alert[]>("GET", "/alerts"),
  alertRules: () => call<AlertRuleView[]>("GET", "/alerts/rules"),
  alertMetrics: () => call<Metric[]>("GET", "/alerts/metrics"),
  setAlertRule: (rule: AlertRule) => call<AlertRuleView>("PUT", `/alerts/rules/${segment(rule.name)}`, rule),
  removeAlertRule: (name: string) => call<void>("DELETE", `/alerts/rules/${segment(name)}`),
  metrics: () => call<Metric[]>("GET", "/metrics"),
  /** @param from Unix milliseconds. */
  nodeHistory: (id: string, metrics: readonly string[], from: number) =>
    call<NodeHistory>(
      "GET",
      `/nodes/${segment(id)}/history?${metrics.map((m) => `metric=${segment(m)}`).join("&")}&from=${Math.round(from)}`,
    ),
  statusMembers: () => call<StatusMember[]>("GET", "/status/members"),
  statusTokens: (nodes: string[]) => call<StatusTokens>("POST", "/status/tokens", { nodes }),

  bootSets: () => call<BootSets>("GET", "/boot/sets"),
  createBootSet: (image: string, name: string) => call<unknown>("POST", "/boot/sets", { image, name }),
  deleteBootSet: (name: string) => call<void>("DELETE", `/boot/sets/${segment(name)}`),
  useBootSet: (model: string, set: string | null) => call<BootSets>("PUT", `/boot/sets/use/${segment(model)}`, { set }),

  dhcp: () => call<Dhcp>("GET", "/dhcp"),
  setDhcp: (settings: DhcpSettings) => call<Dhcp>("PUT", "/dhcp", settings),

  people: () => call<Person[]>("GET", "/users"),
  addPerson: (name: string, role: Role) => call<Invitation>("POST", "/users", { name, role }),
  editPerson: (name: string, edit: { role?: Role; removePassword?: boolean }) => call<Person>("PATCH", `/users/${segment(name)}`, edit),
  linkFor: (name: string) => call<Invitation>("POST", `/users/${segment(name)}/sign-in-link`),
  removePerson: (name: string) => call<void>("DELETE", `/users/${segment(name)}`),
  tokens: () => call<TokenView[]>("GET", "/tokens"),
  makeToken: (token: NewToken) => call<MadeToken>("POST", "/tokens", token),
  revokeToken: (id: string) => call<void>("DELETE", `/tokens/${segment(id)}`),
  audit: (choice: { text: string; before: string; limit: number }) => call<AuditEntry[]>("GET", `/audit${queryOf(choice)}`),

  backups: () => call<Backups>("GET", "/backups"),
  setBackups: (plan: BackupPlan) => call<Backups>("PUT", "/backups", plan),
  makeBackup: () => call<void>("POST", "/backups"),
  removeBackup: (name: string) => call<void>("DELETE", `/backups/${segment(name)}`),

  notifications: () => call<Notifications>("GET", "/notifications"),
  setNotifications: (settings: NotificationSettings) => call<Notifications>("PUT", "/notifications", settings),
  /** @param target Name of a webhook, or "e-mail". */
  testNotification: (target: string) => call<void>("POST", "/notifications/test", { target }),

  profiles: () => call<Profile[]>("GET", "/profiles"),
  profile: (name: string) => call<Profile>("GET", `/profiles/${segment(name)}`),
  putProfile: (profile: Profile) => call<Profile>("PUT", `/profiles/${segment(profile.name)}`, profile),
  deleteProfile: (name: string) => call<void>("DELETE", `/profiles/${segment(name)}`),
  /** @param profile One that is not stored yet; absent: the one of that name. */
  previewProfile: (name: string, node: string, profile?: Profile) =>
    call<ProfilePreview>("POST", `/profiles/${segment(name)}/preview`, { node, profile }),
  checkProfile: (name: string, nodes: string[]) => call<ProfileFit[]>("POST", `/profiles/${segment(name)}/check`, { nodes }),
  values: () => call<AllValues>("GET", "/values"),
  /** @param of "groups" or "nodes", and the tag or the id. */
  putValues: (of: keyof AllValues, key: string, values: Record<string, string>) =>
    call<Record<string, string>>("PUT", `/values/${of}/${segment(key)}`, values),

  policy: () => call<Policy>("GET", "/policy"),
  setPolicy: (policy: Policy) => call<Policy>("PUT", "/policy", policy),
};
