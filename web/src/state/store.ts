import { computed, signal } from "@preact/signals";
import { ApiError, api } from "../api/client";
import { follow } from "../api/live";
import type { ApplianceEvent, LogLine, TaskView } from "../api/types";
import { strangers } from "../lib/boot";
import { alertKey, byName, nothing, reduce, type Snapshot } from "./reduce";
import { session } from "./session";

export const connection = signal<"connecting" | "live" | "lost">("connecting");
export const snapshot = signal<Snapshot>(nothing);

/** True once the first answer came: before that, an empty list means nothing. */
export const loaded = signal(false);

/** Rises every second, for what tells a time. */
export const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 1000);

export const nodes = computed(() => [...snapshot.value.nodes.values()].sort(byName));
/** Boards that were seen on the wire and are no nodes yet. */
export const wireBoards = computed(() => strangers(snapshot.value.boards.values(), snapshot.value.nodes));
export const images = computed(() => [...snapshot.value.images.values()].sort((a, b) => b.importedAt - a.importedAt));
export const jobs = computed(() => [...snapshot.value.jobs.values()].sort((a, b) => b.createdAt - a.createdAt));
export const schedules = computed(() => [...snapshot.value.schedules.values()].sort(byName));
export const policy = computed(() => snapshot.value.policy);
/** Boards that ask to be admitted. */
export const unapproved = computed(() => snapshot.value.unapproved);
/** What is wrong with nodes, and was. */
export const alerts = computed(() => [...snapshot.value.alerts.values()]);
/** Those that go on, and of which people are told. */
export const openAlerts = computed(() => alerts.value.filter((a) => a.endedAt === undefined && a.muted === ""));
/** The appliance can write nothing. */
export const disk = computed(() => snapshot.value.disk);
export const imports = computed(() => [...snapshot.value.imports.values()]);

const taskWatchers = new Set<(tasks: TaskView[]) => void>();
const logWatchers = new Set<(lines: LogLine[]) => void>();
const refetchWatchers = new Set<() => void>();

function watch<T>(watchers: Set<T>, watcher: T): () => void {
  watchers.add(watcher);
  return () => void watchers.delete(watcher);
}

export const watchTasks = (watcher: (tasks: TaskView[]) => void) => watch(taskWatchers, watcher);
export const watchLog = (watcher: (lines: LogLine[]) => void) => watch(logWatchers, watcher);

/** Calls whenever something may have been missed. */
export const watchRefetch = (watcher: () => void) => watch(refetchWatchers, watcher);

let stop: (() => void) | undefined;
/** The stream of events is open. */
let streaming = false;

// A thousand boards send a hundred heartbeats a second: the page is drawn anew a few times a second, whatever comes.
const drawMilliseconds = 120;
let waiting: ApplianceEvent[] = [];
let drawing: ReturnType<typeof setTimeout> | undefined;
let fetching = 0;
const retryMilliseconds = 3000;
const patienceMilliseconds = 2000;

function enqueue(event: ApplianceEvent): void {
  waiting.push(event);
  drawing ??= setTimeout(draw, drawMilliseconds);
}

function draw(): void {
  drawing = undefined;
  if (fetching > 0) return; // what is being fetched may be older than these events: they come after it
  const events = waiting;
  waiting = [];
  snapshot.value = reduce(snapshot.value, events);
  const tasks = events.filter((e) => e.name === "task").map((e) => e.data);
  const lines = events.filter((e) => e.name === "log").flatMap((e) => e.data);
  if (events.some((e) => e.name === "unapproved")) void readUnapproved();
  if (events.some((e) => e.name === "alerts")) void readAgain(async () => ({ alerts: await readAlerts() }));
  if (tasks.length > 0) for (const watcher of taskWatchers) watcher(tasks);
  if (lines.length > 0) for (const watcher of logWatchers) watcher(lines);
}

/** Reads a part of the snapshot anew. */
async function readAgain(read: () => Promise<Partial<Snapshot>>): Promise<void> {
  try {
    const part = await read();
    snapshot.value = { ...snapshot.value, ...part };
  } catch (e) {
    // Without the appliance the stream is lost, too, and all is read anew when it is back.
    if (!(e instanceof ApiError) && !(e instanceof TypeError)) throw e;
  }
}

/** Its events say that the list has changed, not how: strangers are told of no more often than once a second, however many they are. */
export const readUnapproved = () => readAgain(async () => ({ unapproved: await api.unapproved() }));

const readAlerts = async () => new Map((await api.alerts()).map((alert) => [alertKey(alert), alert]));

/** What is wrong with a board may come by time alone, without an event: that it fell silent. */
export const readBoards = () => readAgain(async () => ({ boards: keyed(await api.boards(), "mac") }));

const keyed = <T, K extends keyof T>(items: T[], key: K) => new Map(items.map((item) => [item[key] as string, item]));

async function refetch(): Promise<void> {
  fetching++;
  try {
    const [allNodes, allBoards, allImages, allJobs, allSchedules, thePolicy, waitingBoards, allAlerts, status] = await Promise.all([
      api.nodes(),
      api.boards(),
      api.images(),
      api.jobs(),
      api.schedules(),
      api.policy(),
      api.unapproved(),
      readAlerts(),
      api.status(),
    ]);
    snapshot.value = {
      nodes: keyed(allNodes, "id"),
      boards: keyed(allBoards, "mac"),
      images: keyed(allImages, "digest"),
      jobs: keyed(allJobs, "id"),
      imports: snapshot.value.imports,
      schedules: keyed(allSchedules, "name"),
      policy: thePolicy,
      unapproved: waitingBoards,
      alerts: allAlerts,
      disk: status.disk,
    };
    loaded.value = true;
    if (streaming) connection.value = "live";
  } catch (e) {
    if (e instanceof ApiError && e.status === 401) session.value = { signedIn: false };
    connection.value = "lost";
    if (stop !== undefined) setTimeout(() => stop !== undefined && void refetch(), retryMilliseconds);
  } finally {
    fetching--;
  }
  draw();
  for (const watcher of refetchWatchers) watcher();
}

/** Starts following the appliance; called when somebody is signed in. */
export function start(): void {
  if (stop !== undefined) return;
  // All is read once the stream is open: what happens from then on comes by it. Where it does not open, the lists do not wait for it.
  const impatient = setTimeout(() => loaded.value || void refetch(), patienceMilliseconds);
  const unfollow = follow({
    opened: () => {
      streaming = true;
      clearTimeout(impatient);
      void refetch();
    },
    reset: () => void refetch(),
    event: enqueue,
    lost: () => {
      streaming = false;
      connection.value = "lost";
      void checkSession();
    },
  });
  stop = () => {
    clearTimeout(impatient);
    unfollow();
  };
}

/** Ends following; what was known is forgotten. */
export function end(): void {
  stop?.();
  stop = undefined;
  streaming = false;
  waiting = [];
  snapshot.value = nothing;
  loaded.value = false;
  connection.value = "connecting";
}

/** Asks who this browser is signed in as. An appliance that does not answer has not signed anybody out. */
export async function checkSession(): Promise<void> {
  try {
    session.value = await api.session();
  } catch {
    connection.value = "lost";
  }
}

/** Forgets an import that people have read about. */
export function dismissImport(id: string): void {
  const left = new Map(snapshot.value.imports);
  left.delete(id);
  snapshot.value = { ...snapshot.value, imports: left };
}
