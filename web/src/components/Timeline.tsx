import { clockTime, duration } from "../lib/format";
import type { Span } from "../lib/timeline";

const spanWords = (s: Span) => `${s.words} ${duration(s.to - s.from)}`;

/** How long a task was in each phase, in words; what took no time is left out. */
export function Phases({ spans }: { spans: readonly Span[] }) {
  const told = spans.filter((s) => s.open || s.to - s.from >= 500);
  return told.length === 0 ? null : <span class="dim">{told.map(spanWords).join(", ")}</span>;
}

/** The same as a bar, to compare. */
export function Strip({ spans }: { spans: readonly Span[] }) {
  if (spans.length === 0) return null;
  return (
    <span class="strip-bar" aria-hidden="true">
      {spans.map((s) => (
        <i key={s.from} class={s.idle ? "idle" : ""} style={{ flexGrow: Math.max(1, s.to - s.from) }} title={spanWords(s)} />
      ))}
    </span>
  );
}

/** All of it as a list, with the time of each phase. */
export function Timeline({ spans }: { spans: readonly Span[] }) {
  const whole = Math.max(1, (spans.at(-1)?.to ?? 0) - (spans[0]?.from ?? 0));
  return (
    <ol class="timeline" aria-label="Timeline">
      {spans.map((s) => (
        <li key={s.from}>
          <span class="dim">{clockTime(s.from)}</span>
          <span>{s.words}</span>
          <span class="strip-bar" aria-hidden="true">
            <i
              class={s.idle ? "idle" : ""}
              style={{
                marginLeft: `${((s.from - spans[0]!.from) / whole) * 100}%`,
                width: `max(2px, ${((s.to - s.from) / whole) * 100}%)`,
              }}
            />
          </span>
          <span class="number">
            {duration(s.to - s.from)}
            {s.open && " so far"}
          </span>
        </li>
      ))}
    </ol>
  );
}
