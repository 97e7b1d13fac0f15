import { describe, expect, it } from "vitest";
import type { Metric, NodeView, StatusMessage } from "../src/api/types";
import { heatOf, metricText, scaleOf } from "../src/lib/heat";
import { grouped } from "../src/lib/rack";
import { columnsOf, isKnown, LiveColumns, sideBySide } from "../src/lib/series";
import { applied, metricOf, type NodeStatus, nothingKnown, partOf, partsOf } from "../src/lib/status";

const message = (values: Record<string, number | null>, more: Partial<StatusMessage> = {}): StatusMessage => ({
  sequence: 0,
  at: 0,
  whole: false,
  values,
  ...more,
});

describe("what a node tells", () => {
  it("is put together from changes, and begins anew with a whole state", () => {
    let known = applied(nothingKnown, message({ "load.1": 1, temperature: 40 }, { whole: true, facts: { kernel: "6.12" } })) as NodeStatus;
    known = applied(known, message({ temperature: 41, "load.1": null })) as NodeStatus;
    expect(known.values).toEqual({ temperature: 41 });
    expect(known.facts).toEqual({ kernel: "6.12" });
    known = applied(known, message({ fan: 1 }, { whole: true })) as NodeStatus;
    expect([known.values, known.facts]).toEqual([{ fan: 1 }, {}]);
  });

  it("is not believed where no machine has such values", () => {
    expect(applied(nothingKnown, message({ a: 1e300 }))).toBe("a value that no machine has");
    expect(applied(nothingKnown, message({ a: "x" as unknown as number }))).toBe("a value that no machine has");
    expect(applied(nothingKnown, message(Object.fromEntries(Array.from({ length: 2001 }, (_, i) => [`a[${i}]`, 1]))))).toBe(
      "more than 2000 values",
    );
  });

  it("names parts of a machine in brackets", () => {
    expect(["cpu.busy[0]", "cpu.busy"].map(metricOf)).toEqual(["cpu.busy", "cpu.busy"]);
    expect(["fs.used[/boot]", "fs.used"].map(partOf)).toEqual(["/boot", undefined]);
    expect(partsOf({ "cpu.busy": 5, "cpu.busy[10]": 2, "cpu.busy[9]": 1, "cpu.busyness[1]": 7 }, "cpu.busy")).toEqual([
      ["9", 1],
      ["10", 2],
    ]);
  });
});

describe("the colour of a tile", () => {
  const metric = (name: string, unit: Metric["unit"]): Metric => ({ name, unit, title: "", step: 1, isKept: false });

  it("means the same on every rack where a metric has bounds of its own", () => {
    expect(scaleOf(metric("temperature", "celsius"), [35, 36])).toEqual({ from: 30, to: 85 });
    expect(scaleOf(metric("cpu.busy", "percent"), [3])).toEqual({ from: 0, to: 100 });
    expect(heatOf(85, { from: 30, to: 85 })).toBe(1);
    expect(heatOf(20, { from: 30, to: 85 })).toBe(0);
  });

  it("has a round bound elsewhere, that does not move with every value", () => {
    const load = metric("load.1", "count");
    expect(scaleOf(load, [3.2, 0.1])).toEqual({ from: 0, to: 4 });
    expect(scaleOf(load, [3.4])).toEqual(scaleOf(load, [3.9]));
    expect(scaleOf(load, [])).toEqual({ from: 0, to: 1 });
    expect(scaleOf(load, [0.07]).to).toBeGreaterThan(0.07);
  });

  it("stands behind words with their unit", () => {
    const text = (unit: Metric["unit"], value: number) => metricText(metric("x", unit), value);
    expect([
      text("celsius", 53.6),
      text("percent", 4.4),
      text("bytes-per-second", 1_250_000),
      text("flag", 1),
      text("seconds", -2.34),
      text("count", 3),
    ]).toEqual(["54 °C", "4 %", "1.3 MB/s", "yes", "-2.3 s", "3"]);
  });
});

describe("groups of a rack", () => {
  const node = (name: string, more: object = {}): NodeView =>
    ({ id: name, name, location: "", tags: [], inventory: { model: "", interfaces: [] }, ...more }) as unknown as NodeView;
  const onSwitch = (name: string, systemName: string, portDescription: string) =>
    node(name, {
      inventory: { model: "", interfaces: [{ switch: { chassis: "c", port: "p", portDescription, systemName, managementAddress: "" } }] },
    });

  it("stand in the order of people, and those without a place last", () => {
    const nodes = [node("n10", { location: "row 10" }), node("n9"), node("n2", { location: "row 2" })];
    expect(grouped(nodes, "location").map((g) => g.name)).toEqual(["row 2", "row 10", "No location"]);
  });

  it("have their boards by the switch's ports", () => {
    const nodes = [onSwitch("a", "sw1", "port 10"), onSwitch("b", "sw1", "port 2"), node("c")];
    expect(grouped(nodes, "switch").map((g) => [g.name, g.nodes.map((n) => n.name)])).toEqual([
      ["sw1", ["b", "a"]],
      ["No switch known", ["c"]],
    ]);
  });

  it("hold a board with two tags twice", () => {
    expect(grouped([node("a", { tags: ["x", "y"] })], "tag").map((g) => g.name)).toEqual(["x", "y"]);
  });
});

describe("columns of a chart", () => {
  const series = (metric: string, times: number[], mean: number[]) => ({
    metric,
    unit: "count" as const,
    times,
    min: mean,
    mean,
    max: mean,
  });

  it("have a time without values where a step is missing, and one where a metric has none", () => {
    const { times, of } = columnsOf({
      stepSeconds: 60,
      series: [series("a", [0, 60_000, 300_000], [1, 2, 3]), series("b", [60_000], [9])],
    });
    expect(times).toEqual([0, 60, 120, 300]);
    expect(of["a"]!.mean).toEqual([1, 2, null, 3]);
    expect(of["b"]!.mean).toEqual([null, 9, null, null]);
  });

  it("of several nodes stand side by side, one of them with nothing", () => {
    const of = (...of: Parameters<typeof series>[]) => ({ stepSeconds: 60, series: of.map((one) => series(...one)) });
    const beside = sideBySide([of(["a", [0, 60_000], [1, 2]], ["b", [0], [5]]), of(), of(["a", [60_000], [9]])], "a");
    expect(beside.times).toEqual([0, 60]);
    expect([beside.of["0"]!.mean, beside.of["1"], beside.of["2"]!.mean]).toEqual([[1, 2], undefined, [null, 9]]);
    expect([isKnown(beside, "0"), isKnown(beside, "1")]).toEqual([true, false]);
  });

  it("go on live, keep an hour, and have a gap where nothing was heard", () => {
    const live = new LiveColumns(["a"], 100);
    live.add(10, { a: 1 });
    live.add(11, { a: 2 });
    live.add(11, { a: 7 }); // no time twice
    live.add(60, {});
    expect([live.times, live.values["a"]]).toEqual([
      [10, 11, 12, 60],
      [1, 2, null, null],
    ]);
    live.add(120, { a: 3 });
    expect([live.times, live.values["a"]]).toEqual([
      [60, 61, 120],
      [null, null, 3],
    ]);
  });
});
