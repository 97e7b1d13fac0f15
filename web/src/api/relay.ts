import type { RelayedStatus } from "./types";

const retryMilliseconds = 3000;

export interface RelayRequest {
  nodes: string[];
  intervalSeconds: number;
  metrics?: string[];
}

/** Follows nodes by way of the appliance until the returned function is called. */
export function openRelay(request: RelayRequest, heard: (update: RelayedStatus) => void): () => void {
  const stop = new AbortController();

  async function follow(): Promise<void> {
    const response = await fetch("/api/v1/status/relay", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
      signal: stop.signal,
    });
    if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (text + value).split("\n");
      text = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("data: ")) for (const update of JSON.parse(line.slice(6)) as RelayedStatus[]) heard(update);
      }
    }
  }

  async function keep(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await follow();
      } catch {
        // The appliance is away, or the page does not want it any more.
      }
      await new Promise((resolve) => setTimeout(resolve, retryMilliseconds));
    }
  }

  void keep();
  return () => stop.abort();
}
