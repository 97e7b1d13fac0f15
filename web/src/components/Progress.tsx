import type { Measure } from "../api/types";
import { bytes, duration, percent, rate, timeLeft } from "../lib/format";
import { phaseFraction } from "../lib/progress";
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

/** A phase in one line: "writing 42 %". */
export function phaseLine(m: Measure): string {
  const fraction = phaseFraction(m);
  return fraction === null ? phaseWords(m.phase) : `${phaseWords(m.phase)} ${percent(fraction)}`;
}

/** "1.2 of 2.0 GB · 31 MB/s · 25 s left", as far as it is known. */
export function measureLine(m: Measure): string {
  const left = timeLeft(m.done, m.total, m.rate);
  return [
    m.total > 0 && m.unit === "bytes" ? `${bytes(m.done)} of ${bytes(m.total)}` : "",
    rate(m.rate, m.unit),
    left === null ? "" : `${duration(left)} left`,
  ]
    .filter((part) => part !== "")
    .join(" · ");
}
