import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { CalendarEntry, ScheduleView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { Notice } from "../../components/Notice";
import { dayOf, dayTime, dayTitle, monthAway, monthOf } from "../../lib/calendar";
import { queryValue, setQueryValue } from "../../lib/router";
import { jobWords } from "../../lib/schedule";
import { now, schedules } from "../../state/store";
import { NextRuns } from "./NextRuns";

/** The reader's. */
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** A month of all schedules: what they did, and when they will run. */
export function Calendar() {
  const today = dayOf(now.value, zone);
  const chosen = queryValue("month");
  const month = monthOf(/^\d{4}-\d{2}$/.test(chosen) ? chosen : today.slice(0, 7));
  const [entries, setEntries] = useState<readonly CalendarEntry[]>([]);
  const [error, setError] = useState("");
  const [shown, setShown] = useState<ScheduleView | null>(null);
  const all = schedules.value;

  useEffect(() => {
    let over = false;
    api.calendar(month.days[0]!, month.days.length, zone).then(
      (found) => over || (setEntries(found), setError("")),
      (e: Error) => over || setError(e.message),
    );
    return () => void (over = true);
  }, [month.key, all]);

  const go = (months: number) => setQueryValue("month", monthAway(month.key, months));
  return (
    <section class="card" aria-label="Calendar">
      <div class="card-head">
        <h2 aria-live="polite">{month.title}</h2>
        <span class="dim">by the clock of {zone}</span>
        <span class="end button-row">
          <button type="button" class="small" aria-label="The month before" onClick={() => go(-1)}>
            <Icon name="back" />
          </button>
          <button type="button" class="small" onClick={() => setQueryValue("month", "")}>
            Today
          </button>
          <button type="button" class="small" aria-label="The month after" onClick={() => go(1)}>
            <Icon name="forth" />
          </button>
        </span>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {entries.length === 0 && error === "" && <p class="dim">No schedule runs in these weeks.</p>}
      <ol class="calendar">
        {month.days.map((day) => {
          const ofDay = entries.filter((e) => e.day === day);
          return (
            <li key={day} class={[day === today ? "today" : "", day.startsWith(month.key) ? "" : "outside", ofDay.length === 0 ? "free" : ""].filter(Boolean).join(" ")} aria-current={day === today ? "date" : undefined}>
              <time dateTime={day}>{dayTitle(day)}</time>
              {ofDay.map((e) => (
                <Runs key={e.schedule} entry={e} show={() => setShown(all.find((s) => s.name === e.schedule) ?? null)} />
              ))}
            </li>
          );
        })}
      </ol>
      {shown && (
        <Dialog title={shown.name} onClose={() => setShown(null)}>
          <p>{jobWords(shown.job)}.</p>
          <p class="dim">
            <code>{shown.cron}</code> by the clock of {shown.zone}
            {shown.window && `, in the window from ${shown.window.start} for ${shown.window.minutes} minutes`}. Next runs:
          </p>
          <NextRuns cron={shown.cron} zone={shown.zone} />
        </Dialog>
      )}
    </section>
  );
}

/** One schedule on one day: each job that it made, and its times to come. */
function Runs({ entry, show }: { entry: CalendarEntry; show: () => void }) {
  const { schedule, runs, more, made } = entry;
  const [first, last] = [runs[0], runs.at(-1)];
  return (
    <>
      {made.map((m) => (
        <a class="run was" href={`/jobs/${m.job}`} key={m.job}>
          <b>{dayTime(m.at, zone)}</b> {schedule}
        </a>
      ))}
      {first !== undefined && last !== undefined && (
        <button type="button" class="run" onClick={show}>
          <b>{runs.length <= 2 ? runs.map((at) => dayTime(at, zone)).join(", ") : `${dayTime(first, zone)} … ${more ? "" : dayTime(last, zone)}`}</b> {schedule}
          {runs.length > 2 && <span class="dim"> {more ? `over ${runs.length}` : runs.length} times</span>}
        </button>
      )}
    </>
  );
}
