import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import { zonedTime } from "../../lib/format";
import { runsOnEitherDay } from "../../lib/schedule";

/** Waits until the reader has stopped typing. */
const previewMilliseconds = 250;

/** When a cron line runs next, or what is wrong with it. */
export function NextRuns({ cron, zone }: { cron: string; zone: string }) {
  const [runs, setRuns] = useState<number[]>([]);
  const [fault, setFault] = useState("");
  useEffect(() => {
    let over = false;
    const show = (found: number[], fault: string) => {
      if (over) return;
      setRuns(found);
      setFault(fault);
    };
    const timer = setTimeout(() => {
      api.cronRuns(cron, zone).then(
        (found) => show(found, ""),
        (e: Error) => show([], e.message),
      );
    }, previewMilliseconds);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [cron, zone]);
  if (fault !== "")
    return (
      <p class="bad-text" role="status">
        {fault}
      </p>
    );
  return (
    <>
      {runsOnEitherDay(cron) && <p class="dim">Runs on either of its days: on that of the month, and on that of the week.</p>}
      <ul class="next-runs dim" aria-label="Next runs">
        {runs.map((at) => (
          <li key={at}>{zonedTime(at, zone)}</li>
        ))}
      </ul>
    </>
  );
}
