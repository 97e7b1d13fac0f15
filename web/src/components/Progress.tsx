import type { Measure } from "../api/types";
import { bytes, duration, percent, rate, timeLeft } from "../lib/format";
import { phaseWords } from "../lib/words";

/** A bar; `fraction` null: under way, nobody knows how far. */
export function Bar({ fraction, label }: { fraction: number | null; label: string }) {
  const value = fraction === null ? {} : { "aria-valuenow": Math.floor(fraction * 100), "aria-valuemin": 0, "aria-valuemax": 100 };
  return (
    <div class={fraction === null ? "bar unknown" : "bar"} role="progressbar" aria-label={label} {...value}>
      <div style={fraction === null ? undefined : { width: `${fraction * 100}%` }} />
    </div>
  );
}

/** A task under way: its phase, and how far it is on the whole way, as its bar shows. */
export function TaskBar({ task, label }: { task: Measure; label: string }) {
  return (
    <>
      <span class="measure">
        <span>{phaseLine(task)}</span>
        <span class="dim">{measureLine(task)}</span>
      </span>
      <Bar fraction={task.fraction ?? null} label={label} />
    </>
  );
}

/** "writing · 42 %": the phase, and how far all of it is. */
export function phaseLine(m: Measure): string {
  return m.fraction === undefined ? phaseWords(m.phase) : `${phaseWords(m.phase)} · ${percent(m.fraction)}`;
}

/** What is measured in the phase: "1.2 of 2.0 GB · 31 MB/s · 25 s left", as far as it is known. */
function measureLine(m: Measure): string {
  const left = timeLeft(m.done, m.total, m.rate);
  return [
    m.total > 0 && m.unit === "bytes" ? `${bytes(m.done)} of ${bytes(m.total)}` : "",
    rate(m.rate, m.unit),
    left === null ? "" : `${duration(left)} left`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}
