import type { SwitchPort } from "../api/types";

/** Bytes as disk makers count them: "1.3 GB". */
export function bytes(value: number): string {
  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Memory as its makers count it: "4 GiB", "512 MiB". What a kernel keeps for itself makes 3.7 of 4. */
export function memory(value: number): string {
  const mebibytes = value / 2 ** 20;
  if (mebibytes < 1000) return `${Math.round(mebibytes)} MiB`;
  const gibibytes = mebibytes / 1024;
  return `${gibibytes >= 9.95 ? Math.round(gibibytes) : Number(gibibytes.toFixed(1))} GiB`;
}

/** "rack-3 port Gi1/0/7": where a cable ends. A port that is numbered by a MAC address is known by its description. */
export function switchWords(port: SwitchPort): string {
  const name = port.port.includes(":") && port.portDescription !== "" ? port.portDescription : port.port;
  return `${port.systemName || port.chassis} port ${name}`;
}

/** "1 Gbit/s". */
export function linkSpeed(megabits: number): string {
  return megabits >= 1000 ? `${megabits / 1000} Gbit/s` : `${megabits} Mbit/s`;
}

/** "12.4 MB/s"; empty where it is not known. */
export function rate(perSecond: number, unit: string): string {
  if (perSecond <= 0) return "";
  return unit === "bytes" ? `${bytes(perSecond)}/s` : `${perSecond.toFixed(1)} ${unit}/s`;
}

/** Two units at most: "3 d 4 h", "2 m 5 s". */
export function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const parts: [number, string][] = [
    [Math.floor(seconds / 86400), "d"],
    [Math.floor(seconds / 3600) % 24, "h"],
    [Math.floor(seconds / 60) % 60, "min"],
    [seconds % 60, "s"],
  ];
  const first = parts.findIndex(([n]) => n > 0);
  if (first < 0) return "0 s";
  return parts
    .slice(first, first + 2)
    .filter(([n]) => n > 0)
    .map(([n, unit]) => `${n} ${unit}`)
    .join(" ");
}

/** Enough of a key's fingerprint to compare it with what a board shows on its console: "3f2a 91c0 d4e5 f607". */
export function shortKey(key: string): string {
  return (key.slice(0, 16).match(/.{4}/g) ?? []).join(" ");
}

/** "just now", "4 min ago". */
export function ago(then: number, now: number): string {
  const passed = now - then;
  if (passed < 10_000) return "just now";
  return `${duration(passed).split(" ").slice(0, 2).join(" ")} ago`;
}

/** "in 3 h 4 min"; "now" where it is due. */
export function until(then: number, now: number): string {
  return then - now < 1000 ? "now" : `in ${duration(then - now)}`;
}

/** The time zone of whoever reads this, such as "Europe/Berlin". */
export const readersZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** "Sun, 3 Jan 2027, 03:00 Europe/Berlin", by the clock of a time zone; by the reader's where the browser does not know that zone. */
export function zonedTime(at: number, timeZone: string): string {
  const form = { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" } as const;
  try {
    return `${new Date(at).toLocaleString("en-GB", { ...form, timeZone })} ${timeZone}`;
  } catch {
    return `${new Date(at).toLocaleString("en-GB", form)} ${readersZone}`;
  }
}

/** Time left at this rate in milliseconds; null where it cannot be told. */
export function timeLeft(done: number, total: number, perSecond: number): number | null {
  return total > 0 && perSecond > 0 && done < total ? ((total - done) / perSecond) * 1000 : null;
}

export function percent(fraction: number): string {
  // 100 % is for what is over.
  return `${Math.min(99, Math.floor(fraction * 100))} %`;
}

/** "paused" → "Paused." */
export function sentence(words: string): string {
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}

/** "1 node", "3 nodes". */
export function count(n: number, noun: string): string {
  return `${n.toLocaleString("en")} ${noun}${n === 1 ? "" : "s"}`;
}

/** "12:04:31", in the reader's time zone. */
export function clockTime(at: number): string {
  return new Date(at).toLocaleTimeString("en-GB");
}

export function dateTime(at: number): string {
  return new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}

/** What the Pi's firmware says about power and heat, in words (bits of vcgencmd get_throttled). */
export function throttling(flags: number): string[] {
  const words: [number, string][] = [
    [0, "under-voltage now"],
    [1, "clock capped now"],
    [2, "throttled now"],
    [3, "temperature limit now"],
    [16, "under-voltage since the start"],
    [18, "throttled since the start"],
  ];
  return words.filter(([bit]) => (flags & (1 << bit)) !== 0).map(([, text]) => text);
}
