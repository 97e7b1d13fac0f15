import { ago, dateTime, until } from "../lib/format";
import { now } from "../state/store";

/** How long ago something was; keeps up with the clock. */
export function Ago({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {ago(at, now.value)}
    </time>
  );
}

/** How long it is until something; keeps up with the clock. */
export function Until({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={dateTime(at)}>
      {until(at, now.value)}
    </time>
  );
}
