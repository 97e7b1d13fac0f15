import type { ApplianceEvent } from "./types";

const names: ApplianceEvent["name"][] = [
  "node",
  "node-removed",
  "health",
  "image",
  "image-removed",
  "import",
  "job",
  "task",
  "log",
  "policy",
  "boot",
  "schedule",
  "schedule-removed",
  "unapproved",
  "disk",
  "alert",
  "alerts",
];

const retryMilliseconds = 3000;

export interface Listener {
  /** The stream is open, for the first time or again: what happened before that is to be read. */
  opened: () => void;
  /** Too much was missed: everything must be read anew. */
  reset: () => void;
  event: (event: ApplianceEvent) => void;
  lost: () => void;
}

/** Follows the appliance's events until the returned function is called. */
export function follow(listener: Listener): () => void {
  let source: EventSource;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function open(): void {
    source = new EventSource("/api/v1/events");
    source.onopen = () => listener.opened();
    source.onerror = () => {
      listener.lost();
      // The browser tries again by itself unless it was refused (an error status).
      if (source.readyState === EventSource.CLOSED) timer = setTimeout(open, retryMilliseconds);
    };
    source.addEventListener("reset", () => listener.reset());
    for (const name of names) {
      source.addEventListener(name, (e) => {
        listener.event({ name, data: JSON.parse((e as MessageEvent<string>).data) } as ApplianceEvent);
      });
    }
  }

  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
