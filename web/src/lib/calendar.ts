import type { CalendarEntry } from "../api/types";

/** Whole weeks from a Monday on. All days are written as "2026-11-25". */
export interface Weeks {
  title: string;
  days: readonly string[];
  /** Whether a day is one of those that are asked for: the others fill their weeks. */
  has: (day: string) => boolean;
}

const weeksAhead = 5;

const dayKey = (year: number, month: number, day: number) => new Date(Date.UTC(year, month, day)).toISOString().slice(0, 10);

/** How many days a day is behind the Monday of its week. */
const sinceMonday = (year: number, month: number, day: number) => (new Date(Date.UTC(year, month, day)).getUTCDay() + 6) % 7;

/**
 * A month, with the days around it that fill its weeks.
 * @param key "2026-11".
 */
export function monthOf(key: string): Weeks {
  const [year, month] = key.split("-").map(Number) as [number, number];
  const before = sinceMonday(year, month - 1, 1);
  const length = new Date(Date.UTC(year, month, 0)).getUTCDate();
  const weeks = Math.ceil((before + length) / 7);
  return {
    title: new Date(Date.UTC(year, month - 1, 1)).toLocaleDateString("en-GB", { month: "long", year: "numeric", timeZone: "UTC" }),
    days: Array.from({ length: weeks * 7 }, (_, i) => dayKey(year, month - 1, 1 - before + i)),
    has: (day) => day.startsWith(key),
  };
}

/** The week of a day and those that follow: what has passed is of less interest than what comes. */
export function weeksFrom(day: string): Weeks {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  const monday = date - sinceMonday(year, month - 1, date);
  return {
    title: "From this week on",
    days: Array.from({ length: weeksAhead * 7 }, (_, i) => dayKey(year, month - 1, monday + i)),
    has: () => true,
  };
}

/** What stands in the calendar: a job that was made, or the runs of a schedule that come. */
export interface Mark {
  at: number;
  entry: CalendarEntry;
  /** The job; absent: runs to come. */
  job?: string;
}

/** What a day has, in the order of its times. */
export function marksOf(day: string, entries: readonly CalendarEntry[]): Mark[] {
  return entries
    .filter((entry) => entry.day === day)
    .flatMap((entry) => [...entry.made.map(({ at, job }) => ({ at, entry, job })), ...entry.runs.slice(0, 1).map((at) => ({ at, entry }))])
    .sort((a, b) => a.at - b.at);
}

/** The month so many months away. */
export function monthAway(key: string, months: number): string {
  const [year, month] = key.split("-").map(Number) as [number, number];
  return dayKey(year, month - 1 + months, 1).slice(0, 7);
}

/** The day of a time, by the clock of a zone. */
export function dayOf(at: number, timeZone: string): string {
  // The form of Sweden is that of ISO 8601.
  return new Date(at).toLocaleDateString("sv-SE", { timeZone });
}

/** "Wed 25". */
export function dayTitle(day: string): string {
  return new Date(`${day}T00:00:00Z`).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", timeZone: "UTC" });
}

/** "03:00". */
export function dayTime(at: number, timeZone: string): string {
  return new Date(at).toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", timeZone });
}
