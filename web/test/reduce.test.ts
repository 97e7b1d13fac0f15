import { expect, test } from "vitest";
import type { JobView, ScheduleView } from "../src/api/types";
import { byName, nothing, reduce } from "../src/state/reduce";
import { node, task } from "./fixtures";

test("a node comes, changes and goes", () => {
  const came = reduce(nothing, [{ name: "node", data: node() }]);
  expect(came.nodes.get("10000000abcdef01")?.link).toBe("net-inst");
  const changed = reduce(came, [{ name: "node", data: node({ link: "slave" }) }]);
  expect(changed.nodes.get("10000000abcdef01")?.link).toBe("slave");
  expect(reduce(changed, [{ name: "node-removed", data: { id: "10000000abcdef01" } }]).nodes.size).toBe(0);
});

test("a heartbeat changes a node's health and nothing else of it", () => {
  const came = reduce(nothing, [{ name: "node", data: node({ link: "slave" }) }]);
  const health = { ...node().health!, load: 1.5 };
  const after = reduce(came, [
    { name: "health", data: { id: "10000000abcdef01", health } },
    { name: "health", data: { id: "gone", health } },
  ]);
  expect(after.nodes.get("10000000abcdef01")).toEqual({ ...came.nodes.get("10000000abcdef01"), health });
  expect(after.nodes.size).toBe(1);
});

test("nothing is changed in place, and what did not change stays the same object", () => {
  const before = reduce(nothing, [
    { name: "node", data: node() },
    { name: "node", data: node({ id: "other" }) },
  ]);
  const after = reduce(before, [{ name: "node", data: node({ id: "other", link: "offline" }) }]);
  expect(before.nodes.get("other")?.link).toBe("net-inst");
  expect(after.nodes.get("10000000abcdef01")).toBe(before.nodes.get("10000000abcdef01"));
  expect(after.images).toBe(before.images);
});

test("the last of a batch counts", () => {
  const events = ["net-inst", "offline", "slave"].map((link) => ({ name: "node", data: node({ link: link as "slave" }) }) as const);
  expect(reduce(nothing, events).nodes.get("10000000abcdef01")?.link).toBe("slave");
});

test("tasks and log lines change nothing here", () => {
  expect(
    reduce(nothing, [
      { name: "task", data: task() },
      { name: "log", data: [] },
    ]),
  ).toEqual(nothing);
});

test("jobs and the policy are taken over", () => {
  const job: JobView = {
    id: "j1",
    kind: "reboot",
    createdAt: 1,
    createdBy: "api",
    ended: false,
    counts: { running: 1 },
    paused: false,
    note: "",
    choosesAgain: false,
  };
  const after = reduce(nothing, [
    { name: "job", data: job },
    { name: "policy", data: { installNewBoards: {}, authorizedKeys: ["k"], approveNewBoards: false } },
  ]);
  expect(after.jobs.get("j1")).toBe(job);
  expect(after.policy?.authorizedKeys).toEqual(["k"]);
});

test("a schedule comes, changes and goes", () => {
  const schedule: ScheduleView = {
    name: "weekly",
    cron: "0 3 * * SUN",
    zone: "UTC",
    job: { kind: "reboot", select: "all" },
    missed: "skip",
    enabled: true,
    next: 5,
  };
  const came = reduce(nothing, [
    { name: "schedule", data: schedule },
    { name: "schedule", data: { ...schedule, enabled: false } },
  ]);
  expect(came.schedules.get("weekly")?.enabled).toBe(false);
  expect(reduce(came, [{ name: "schedule-removed", data: { name: "weekly" } }]).schedules.size).toBe(0);
});

test("numbers in names are sorted as numbers", () => {
  expect(
    ["node-10", "node-2", "alpha"]
      .map((name) => ({ name }))
      .sort(byName)
      .map((n) => n.name),
  ).toEqual(["alpha", "node-2", "node-10"]);
});
