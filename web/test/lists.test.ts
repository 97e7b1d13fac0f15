import { describe, expect, it } from "vitest";
import type { CalendarEntry } from "../src/api/types";
import { dayOf, marksOf, monthAway, monthOf, weeksFrom } from "../src/lib/calendar";
import { groupByCause } from "../src/lib/causes";
import { swapTerm } from "../src/lib/filter";
import { versionsOf } from "../src/lib/versions";
import { task } from "./fixtures";

describe("causes", () => {
  it("are one where only numbers differ, and the most frequent comes first", () => {
    const failed = (cause: string, state: "failed" | "skipped" = "failed") => task({ state, cause });
    const groups = groupByCause([
      failed("the node's card is read-only"),
      failed("writing block 1412 to /dev/mmcblk0: Input/output error"),
      failed("writing block 99 to /dev/mmcblk0: Input/output error"),
      failed("", "skipped"),
      task({ state: "succeeded" }),
    ]);
    expect(groups.map((g) => [g.tasks.length, g.varies, g.cause])).toEqual([
      [2, true, "writing block 1412 to /dev/mmcblk0: Input/output error"],
      [1, false, "the node's card is read-only"],
    ]);
  });
});

describe("calendar", () => {
  it("fills whole weeks from Monday on", () => {
    const { title, days } = monthOf("2026-11");
    expect([title, days[0], days.at(-1), days.length]).toEqual(["November 2026", "2026-10-26", "2026-12-06", 42]);
    expect(monthOf("2027-02").days).toHaveLength(28);
  });

  it("begins with the Monday of this week where no month is asked for", () => {
    const { days, has } = weeksFrom("2026-11-29");
    expect([days[0], days.at(-1), days.length, has("2026-12-27")]).toEqual(["2026-11-23", "2026-12-27", 35, true]);
    expect(weeksFrom("2027-01-01").days[0]).toBe("2026-12-28");
    expect([monthOf("2026-11").has("2026-11-30"), monthOf("2026-11").has("2026-12-01")]).toEqual([true, false]);
  });

  it("tells a day in the order of its times, whatever the schedules are called", () => {
    const day = "2026-11-29";
    const entries: CalendarEntry[] = [
      { day, schedule: "alpha", runs: [300, 900], more: false, made: [{ job: "j2", at: 50 }] },
      {
        day,
        schedule: "beta",
        runs: [230],
        more: false,
        made: [
          { job: "j1", at: 20 },
          { job: "j3", at: 70 },
        ],
      },
      { day: "2026-11-30", schedule: "beta", runs: [1], more: false, made: [] },
    ];
    expect(marksOf(day, entries).map((m) => [m.at, m.job ?? m.entry.schedule])).toEqual([
      [20, "j1"],
      [50, "j2"],
      [70, "j3"],
      [230, "beta"],
      [300, "alpha"],
    ]);
  });

  it("goes over the year's end, and knows days by the clock of a zone", () => {
    expect([monthAway("2026-12", 1), monthAway("2027-01", -1)]).toEqual(["2027-01", "2026-12"]);
    expect([dayOf(Date.UTC(2026, 10, 25, 23, 30), "UTC"), dayOf(Date.UTC(2026, 10, 25, 23, 30), "Europe/Berlin")]).toEqual([
      "2026-11-25",
      "2026-11-26",
    ]);
  });
});

describe("versions", () => {
  it("of one name stand together, the newest first", () => {
    const image = (name: string, importedAt: number) => ({
      name,
      importedAt,
      digest: name + importedAt,
      architecture: "arm64",
      sizeBytes: 1,
      usedBytes: 1,
      storedBytes: 1,
      slots: 1,
      public: false,
    });
    expect(versionsOf([image("b", 3), image("a", 2), image("b", 1)]).map((v) => [v.image.digest, v.number, v.of])).toEqual([
      ["b3", 1, 2],
      ["b1", 2, 2],
      ["a2", 1, 1],
    ]);
  });
});

describe("a term of a filter", () => {
  it("takes the place of its like, and leaves the rest", () => {
    const axis = ["state:online", "state:offline"];
    expect(swapTerm("tag:front state:online", axis, "state:offline")).toBe("tag:front state:offline");
    expect(swapTerm(" state:offline ", axis, "")).toBe("");
  });
});
