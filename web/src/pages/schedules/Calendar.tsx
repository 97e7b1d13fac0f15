import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { ScheduleView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Icon } from "../../components/Icon";
import { Notice } from "../../components/Notice";
import { useRead } from "../../components/useRead";
import { dayOf, dayTime, dayTitle, type Mark, marksOf, monthAway, monthOf, weeksFrom } from "../../lib/calendar";
import { readersZone } from "../../lib/format";
import { queryValue, setQueryValue } from "../../lib/router";
import { jobWords } from "../../lib/schedule";
import { now, schedules } from "../../state/store";
import { NextRuns } from "./NextRuns";

/** All schedules: what they did, and when they will run; from this week on, or a whole month. */
export function Calendar() {
  const today = dayOf(now.value, readersZone);
  const chosen = /^\d{4}-\d{2}$/.test(queryValue("month")) ? queryValue("month") : "";
  const shownWeeks = chosen === "" ? weeksFrom(today) : monthOf(chosen);
  const [shown, setShown] = useState<ScheduleView | null>(null);
  const all = schedules.value;

  const { value: entries = [], error } = useRead(
    () => api.calendar(shownWeeks.days[0]!, shownWeeks.days.length, readersZone),
    [shownWeeks.days[0], chosen, all],
  );

  const go = (months: number) => setQueryValue("month", monthAway(chosen || today.slice(0, 7), months));
  return (
    <section class="card" aria-label="Calendar">
      <div class="card-head">
        <h2 aria-live="polite">{shownWeeks.title}</h2>
        <span class="dim">times in {readersZone}</span>
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
        {shownWeeks.days.map((day) => {
          const marks = marksOf(day, entries);
          return (
            <li
              key={day}
              class={[day === today ? "today" : "", shownWeeks.has(day) ? "" : "outside", marks.length === 0 ? "free" : ""]
                .filter(Boolean)
                .join(" ")}
              aria-current={day === today ? "date" : undefined}
            >
              <time dateTime={day}>{dayTitle(day)}</time>
              {marks.map((mark) => {
                const schedule = all.find((s) => s.name === mark.entry.schedule);
                return (
                  <Chip key={mark.job ?? mark.entry.schedule} mark={mark} schedule={schedule} show={() => setShown(schedule ?? null)} />
                );
              })}
            </li>
          );
        })}
      </ol>
      {shown && (
        <Dialog title={shown.name} onClose={() => setShown(null)}>
          <p>{jobWords(shown.job)}.</p>
          <p class="dim">
            <code>{shown.cron}</code> in {shown.zone}
            {shown.window && `, in the window from ${shown.window.start} ${shown.zone} for ${shown.window.minutes} minutes`}. Next runs:
          </p>
          <NextRuns cron={shown.cron} zone={shown.zone} />
        </Dialog>
      )}
    </section>
  );
}

/** A job that a schedule made, or its times to come on one day, by the reader's clock and, where that is another, by the schedule's. */
function Chip({ mark, schedule, show }: { mark: Mark; schedule: ScheduleView | undefined; show: () => void }) {
  const { schedule: name, runs, more } = mark.entry;
  const there = schedule !== undefined && dayTime(mark.at, schedule.zone) !== dayTime(mark.at, readersZone) && (
    <span class="dim">
      {" "}
      {dayTime(mark.at, schedule.zone)} {schedule.zone}
    </span>
  );
  if (mark.job !== undefined) {
    return (
      <a class="run was" href={`/jobs/${mark.job}`}>
        <b>{dayTime(mark.at, readersZone)}</b> {name}
        {there}
      </a>
    );
  }
  const times = runs.map((at) => dayTime(at, readersZone));
  return (
    <button type="button" class="run" onClick={show}>
      <b>{times.length <= 2 ? times.join(", ") : `${times[0]} … ${more ? "" : times.at(-1)}`}</b> {name}
      {there}
      {times.length > 2 && <span class="dim"> {more ? `over ${times.length}` : times.length} times</span>}
    </button>
  );
}
