import { expect, test } from "vitest";
import type { JobView } from "../src/api/types";
import { cancelConsequence } from "../src/lib/cancel";
import { groupByCause } from "../src/lib/causes";
import { confirmed } from "../src/lib/confirm";
import { ongoing, togetherFraction } from "../src/lib/progress";
import { installTarget } from "../src/lib/words";
import { node, task } from "./fixtures";

test("what goes on is the same on every bar: what has ended counts as done, what waits as nothing", () => {
  const busy = node({ task: { ...task({ fraction: 0.3 }), state: "running" } });
  const job = { id: "j1", counts: { succeeded: 2, failed: 1, running: 1, held: 1 } } as unknown as JobView;
  const shown = ongoing([busy, node()], new Map([["j1", job]]));
  expect(shown).toMatchObject({ tasks: 1, jobs: ["j1"] });
  expect(shown.fraction).toBeCloseTo((3 + 0.3) / 5);
  // The job's own page knows each task.
  expect(togetherFraction(3, [{ fraction: 0.3 }, {}])).toBeCloseTo(shown.fraction);
  expect(ongoing([], new Map())).toEqual({ tasks: 0, fraction: 0, jobs: [] });
});

test("several jobs are counted together by their tasks", () => {
  const [one, two] = ["j1", "j2"].map((jobId) => node({ task: { ...task({ jobId, fraction: 0.5 }), state: "running" } }));
  const jobs = new Map([["j1", { counts: { succeeded: 3, running: 1 } } as unknown as JobView]]);
  expect(ongoing([one!, two!], jobs)).toEqual({ tasks: 2, fraction: (3 + 1) / 5, jobs: ["j1", "j2"] });
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
  expect(cancelConsequence(task({ state: "running", phase: "checking", disk: "unbootable" }))).toContain("partly written already");
  expect(cancelConsequence(task({ state: "running", phase: "writing", disk: "unbootable" }))).toContain("until an installation ends well");
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
