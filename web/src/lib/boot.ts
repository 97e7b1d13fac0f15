import type { BoardView, BootEvent, NodeView } from "../api/types";
import { bytes } from "./format";

/** Boards that are no nodes, the one that was heard last first. */
export function strangers(boards: Iterable<BoardView>, nodes: ReadonlyMap<string, NodeView>): BoardView[] {
  return [...boards].filter((b) => b.node === undefined || !nodes.has(b.node)).sort((a, b) => b.lastSeen - a.lastSeen);
}

/** What kind of board it is, as far as it is known. */
export function boardTitle(board: BoardView): string {
  return board.model ?? (board.vendor === undefined ? board.program : `${board.vendor} (by its MAC address)`);
}

/** A span of a boot: tenths of a second count there. */
export function bootTime(milliseconds: number): string {
  const seconds = Math.max(0, milliseconds) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 119.5) return `${Math.round(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
}

const outcomes: Record<string, string> = {
  completed: "fetched",
  "not-found": "not there",
  probed: "looked at",
  refused: "refused",
  aborted: "given up",
  "timed-out": "fell silent",
  failed: "failed",
};

const stages: Record<string, string> = {
  "net-inst": "NetInst introduced itself",
  waiting: "Waits for a person",
  installing: "Told to install",
  slave: "The installed system introduced itself",
  left: "Left",
};

/** One line of a boot in words, and whether it tells of trouble. A file that is not there is mostly a probe: no trouble. */
export function eventLine(e: BootEvent): { text: string; trouble: boolean } {
  const times = e.count > 1 ? `, ${e.count} times` : "";
  switch (e.type) {
    case "dhcp": {
      const who = e.client === "none" ? "The system's DHCP" : "DHCP";
      const from = e.chosenServer === undefined ? "" : ` to ${e.chosenServer}`;
      return { text: `${who} ${e.asked}${from}${e.answered === undefined ? "" : `, answered: ${e.answered}`}${times}`, trouble: false };
    }
    case "file": {
      const size =
        e.bytes === 0
          ? ""
          : e.outcome === "completed" || e.length === undefined
            ? `, ${bytes(e.bytes)}`
            : `, ${bytes(e.bytes)} of ${bytes(e.length)}`;
      const detail = e.detail === undefined ? "" : `: ${e.detail}`;
      return {
        text: `${e.path} ${outcomes[e.outcome] ?? e.outcome}${size}${times}${detail}`,
        trouble: ["refused", "aborted", "timed-out", "failed"].includes(e.outcome),
      };
    }
    case "link":
      return { text: `${stages[e.stage]}${e.detail === undefined ? "" : `: ${e.detail}`}${times}`, trouble: false };
  }
}

/** What a boot set of an image is called: "raspios-trixie-arm64" of "RaspiOS trixie (arm64)". */
export function bootSetName(image: string): string {
  return (
    image
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .slice(0, 40)
      .replace(/^-+|-+$/g, "") || "pi5"
  );
}
