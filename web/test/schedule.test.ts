import { expect, test } from "vitest";
import { readersZone, until, zonedTime } from "../src/lib/format";
import { emptyDraft, jobWords, runsOnEitherDay, scheduleOf } from "../src/lib/schedule";

test("what was left empty is not asked for", () => {
  const draft = { ...emptyDraft, name: " weekly ", zone: "Europe/Berlin", select: " tag=camera " };
  expect(scheduleOf(draft)).toEqual({
    name: "weekly",
    cron: "0 3 * * SUN",
    zone: "Europe/Berlin",
    missed: "skip",
    job: { kind: "reboot", select: "tag=camera" },
  });
});

test("an installation has an image, and a window and a roll-out are taken over", () => {
  const draft = {
    ...emptyDraft,
    kind: "install",
    image: "debian-12",
    select: "all",
    windowStart: "22:00",
    windowMinutes: "90",
    canary: "1",
    batch: "4",
    stopAfter: "10%",
  } as const;
  expect(scheduleOf(draft)).toMatchObject({
    window: { start: "22:00", minutes: 90 },
    job: { kind: "install", image: "debian-12", select: "all", rollout: { canary: 1, batch: 4, stopAfter: "10%" } },
  });
  expect(scheduleOf({ ...draft, kind: "reboot" }).job.image).toBeUndefined();
  expect(scheduleOf({ ...draft, profile: "classroom", update: true }).job.parameters).toEqual({ profile: "classroom", update: true });
  expect(scheduleOf({ ...draft, kind: "reboot", profile: "classroom", update: true }).job.parameters).toBeUndefined();
});

test("a job is told in words", () => {
  expect(jobWords({ kind: "install", image: "debian-12", select: "tag=camera" })).toBe("Install debian-12 on tag=camera");
  expect(jobWords({ kind: "install", image: "debian-12", select: "all", parameters: { profile: "classroom", update: true } })).toBe(
    "Update to debian-12 with profile classroom on all nodes",
  );
  expect(jobWords({ kind: "shutdown", select: "all" })).toBe("Shut down on all nodes");
  expect(jobWords({ kind: "reboot", nodes: ["a", "b"] })).toBe("Reboot on 2 nodes");
});

test("the next run is told in words, by the clock of its zone", () => {
  expect(until(3_600_000, 0)).toBe("in 1 h");
  expect(until(90_061_000, 0)).toBe("in 1 d 1 h");
  expect(until(500, 0)).toBe("now");
  expect(zonedTime(Date.UTC(2027, 0, 3, 2), "Europe/Berlin")).toMatch(/^Sun.*3 Jan 2027.*03:00 Europe\/Berlin$/);
  expect(zonedTime(Date.UTC(2027, 0, 3, 2), "UTC")).toMatch(/02:00 UTC$/);
  expect(zonedTime(0, "Europe/Atlantis")).toMatch(new RegExp(`1970.* ${readersZone}$`));
});

test("a line that chooses both kinds of day says so, and one that chooses one or none does not", () => {
  expect(["0 3 1 * MON", " 30 12 13 * 5 "].map(runsOnEitherDay)).toEqual([true, true]);
  expect(["0 3 * * MON", "0 3 1 * *", "0 3 */2 * MON", "@daily", "0 3 1", ""].map(runsOnEitherDay)).toEqual(Array(6).fill(false));
});
