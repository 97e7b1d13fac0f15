import { type Range, ranges } from "../lib/series";

/** How far back charts go: one of few. */
export function RangeChoice({ range, choose }: { range: Range; choose: (range: Range) => void }) {
  return (
    <div class="segments" role="group" aria-label="Time">
      {(Object.keys(ranges) as Range[]).map((key) => (
        <button type="button" key={key} aria-pressed={range === key} onClick={() => choose(key)}>
          {ranges[key][0]}
        </button>
      ))}
    </div>
  );
}
