import { describe, expect, it } from "vitest";
import type { TaskPhase } from "../src/api/types";
import { spansOf, withPhase } from "../src/lib/timeline";
import { task } from "./fixtures";

const at = (state: TaskPhase["state"], phase: string, seconds: number): TaskPhase => ({ task: "t1", state, phase, at: seconds * 1000 });

describe("timeline", () => {
  it("has a span for each phase, the last of which goes on", () => {
    const spans = spansOf(
      task({ state: "running" }),
      [at("sent", "", 0), at("running", "checking", 2), at("running", "writing", 5)],
      60_000,
    );
    expect(spans.map((s) => [s.words, s.to - s.from, s.idle, s.open])).toEqual([
      ["sent", 2000, true, false],
      ["checking", 3000, false, false],
      ["writing", 55_000, false, true],
    ]);
  });

  it("ends with the task, and what is called the same is one span", () => {
    const phases = [at("running", "rebooting", 0), at("running", "restarting", 2), at("waiting", "retrying", 5), at("failed", "", 9)];
    expect(spansOf(task({ state: "failed", endedAt: 9000 }), phases, 99_000).map((s) => [s.words, s.to - s.from, s.open])).toEqual([
      ["restarting", 5000, false],
      ["waiting to try again", 4000, false],
    ]);
  });

  it("takes up what an event tells, once", () => {
    const known = [at("sent", "", 0)];
    const event = task({ state: "running", phase: "writing", sentAt: 0, phaseAt: 7000 });
    const more = withPhase(known, event);
    expect(more).toEqual([...known, at("running", "writing", 7)]);
    expect(withPhase(more, { ...event, done: 99 })).toBe(more);
  });
});
