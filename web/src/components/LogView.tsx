import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LogLine } from "../api/types";
import { clockTime, count } from "../lib/format";
import { watchLog, watchRefetch } from "../state/store";
import { Icon } from "./Icon";
import { Notice } from "./Notice";

/** What is kept on the page; the appliance keeps as many. */
const kept = 5000;

interface Props {
  /** Reads what there is. Must be the same function as long as it means the same log. */
  read: () => Promise<LogLine[]>;
  /** Whether a line belongs to this log. */
  belongs: (line: LogLine) => boolean;
  /** What it is called when it is saved. */
  file: string;
  /** Whose line it is, where the log is that of several. Must be the same function as long as names are the same. */
  nameOf?: (line: LogLine) => string;
}

/** So near to its end, a log is read to the end. */
const endPixels = 24;

const words = (line: LogLine, nameOf: Props["nameOf"]) => (nameOf === undefined ? line.line : `${nameOf(line)}: ${line.line}`);

const text = (lines: readonly LogLine[], nameOf: Props["nameOf"]) =>
  lines.map((l) => `${new Date(l.at).toISOString()} ${words(l, nameOf)}`).join("\n");

/** Has the browser save a text. */
function save(name: string, content: string): void {
  const url = URL.createObjectURL(new Blob([content, "\n"], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** A log that grows: follow, filter, copy, save. */
export function LogView({ read, belongs, file, nameOf }: Props) {
  const [lines, setLines] = useState<LogLine[]>([]);
  const [error, setError] = useState("");
  const [filter, setFilter] = useState("");
  const [following, setFollowing] = useState(true);
  const box = useRef<HTMLDivElement>(null);

  useEffect(() => {
    let over = false;
    const add = (more: LogLine[]) =>
      setLines((before) => {
        const last = before.at(-1)?.id ?? 0;
        const fresh = more.filter((line) => line.id > last && belongs(line));
        return fresh.length === 0 ? before : [...before, ...fresh].slice(-kept);
      });
    const load = () =>
      read().then(
        (all) => {
          if (over) return;
          setError("");
          setLines(all);
        },
        (e: Error) => over || setError(e.message),
      );
    void load();
    const stops = [watchLog(add), watchRefetch(() => void load())];
    return () => {
      over = true;
      for (const stop of stops) stop();
    };
  }, [read, belongs]);

  const shown = useMemo(() => {
    const wanted = filter.toLowerCase();
    return wanted === "" ? lines : lines.filter((line) => words(line, nameOf).toLowerCase().includes(wanted));
  }, [lines, filter, nameOf]);

  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, following]);

  return (
    <div class="log">
      <div class="log-tools">
        <input
          type="search"
          placeholder="Filter lines"
          aria-label="Filter log lines"
          value={filter}
          onInput={(e) => setFilter(e.currentTarget.value)}
        />
        <label>
          <input type="checkbox" checked={following} onChange={(e) => setFollowing(e.currentTarget.checked)} /> Follow
        </label>
        <span class="dim">{filter === "" ? count(lines.length, "line") : `${shown.length} of ${count(lines.length, "line")}`}</span>
        <span class="end">
          <button
            type="button"
            class="small"
            disabled={shown.length === 0}
            onClick={() => void navigator.clipboard.writeText(text(shown, nameOf))}
          >
            <Icon name="copy" /> Copy
          </button>{" "}
          <button type="button" class="small" disabled={shown.length === 0} onClick={() => save(file, text(shown, nameOf))}>
            <Icon name="download" /> Download
          </button>
        </span>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <div
        class="log-lines"
        ref={box}
        tabIndex={0}
        role="log"
        aria-label="Log"
        // Whoever scrolls up, by whatever means, wants to read in peace; whoever comes back to the end wants to follow.
        onScroll={(e) => {
          const { scrollTop, scrollHeight, clientHeight } = e.currentTarget;
          setFollowing(scrollHeight - clientHeight - scrollTop < endPixels);
        }}
      >
        {shown.length === 0 ? (
          <p class="dim">{lines.length === 0 ? "Nothing was said yet." : "No line has that in it."}</p>
        ) : (
          shown.map((line) => (
            <div key={line.id}>
              <span class="at">{clockTime(line.at)}</span> {nameOf && <b>{nameOf(line)}</b>} {line.line}
            </div>
          ))
        )}
      </div>
    </div>
  );
}
