import { expect, test } from "vitest";
import { cancelConsequence } from "../src/lib/cancel";
import { groupByCause } from "../src/lib/causes";
import { confirmed } from "../src/lib/confirm";
import { ongoing, overallFraction } from "../src/lib/progress";
import { installTarget } from "../src/lib/words";
import { node, task } from "./fixtures";

test("the whole way never goes back when a phase ends", () => {
  const way = ["staging", "rebooting", "checking", "keeping", "writing", "verifying", "configuring", "starting", "first-boot"].flatMap((phase) =>
    [0, 50, 100].map((done) => overallFraction(task({ phase, done }))),
  );
  expect(way).toEqual([...way].sort((a, b) => a - b));
  expect(overallFraction(task({ state: "succeeded", phase: "" }))).toBe(1);
});

test("an update of boot firmware goes forward alone, its restart too", () => {
  const way = ["checking", "staging", "restarting", "confirming"].map((phase) => overallFraction(task({ kind: "firmware", phase, total: 0 })));
  expect(way).toEqual([0, 0.1, 0.4, 0.95]);
});

test("what goes on is counted over all nodes", () => {
  const busy = node({ task: { ...task(), state: "running" } });
  expect(ongoing([busy, node()])).toMatchObject({ tasks: 1, jobs: ["j1"] });
  expect(ongoing([])).toEqual({ tasks: 0, fraction: 0, jobs: [] });
});

test("failures with one cause stand together, the most frequent first", () => {
  const groups = groupByCause([
    task({ id: "a", state: "failed", cause: "disk too small" }),
    task({ id: "b", state: "timed-out", cause: "away" }),
    task({ id: "c", state: "timed-out", cause: "away" }),
    task({ id: "d", state: "succeeded" }),
  ]);
  expect(groups.map((g) => [g.cause, g.tasks.map((t) => t.id)])).toEqual([
    ["away", ["b", "c"]],
    ["disk too small", ["a"]],
  ]);
});

test("what is to be typed is typed whole, blanks around it aside", () => {
  expect(confirmed(" 2 ", "2")).toBe(true);
  expect(confirmed("", "2")).toBe(false);
});

test("what cancelling leaves behind depends on how far the task is", () => {
  expect(cancelConsequence(task({ state: "waiting", phase: "", attempts: 0 }))).toBe("its disk is untouched");
  expect(cancelConsequence(task({ phase: "writing" }))).toContain("will not start");
  expect(cancelConsequence(task({ phase: "writing" }), true)).toContain("its system runs on");
  expect(cancelConsequence(task({ phase: "trying" }))).toContain("goes back by itself");
  expect(cancelConsequence(task({ phase: "starting" }))).toContain("complete");
  expect(cancelConsequence(task({ phase: "first-boot" }))).toContain("installed and runs");
  expect(cancelConsequence(task({ state: "waiting", phase: "retrying", disk: "unbootable" }))).toContain("partly written already");
  expect(cancelConsequence(task({ kind: "reboot", phase: "" }))).toContain("may go through");
  for (const kind of ["reboot", "firmware", "run", "update", "deploy"] as const) {
    expect(cancelConsequence(task({ kind, state: "held", phase: "" }))).toBe("was not sent yet: nothing happens to the node");
  }
  expect(cancelConsequence(task({ kind: "firmware", phase: "staging" }))).toContain("taken back");
  expect(cancelConsequence(task({ kind: "firmware", phase: "restarting" }))).toContain("cannot be cancelled");
  expect(cancelConsequence(task({ kind: "firmware", phase: "", state: "waiting" }))).toContain("nothing happens");
});

test("the disk to be written is the only one that can be", () => {
  const disk = node().inventory.disks[0]!;
  const withDisks = (...disks: (typeof disk)[]) => node({ inventory: { ...node().inventory, disks } });
  expect(installTarget(withDisks({ ...disk, name: "sda", readOnly: true }, disk))).toEqual({ disk });
  expect(installTarget(withDisks(disk, { ...disk, name: "sda" }))).toHaveProperty("problem");
  expect(installTarget(withDisks())).toHaveProperty("problem");
});
