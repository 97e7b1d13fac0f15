import { expect, test } from "vitest";
import { architecturesOf, emptyInstall, jobOf, planInstall, rolloutWords, usesSlot } from "../src/lib/install";
import { node } from "./fixtures";

const inventory = node().inventory;
const disk = inventory.disks[0]!;
const pc = node({ id: "pc", name: "pc", inventory: { ...inventory, architecture: "amd64" } });
const image = {
  digest: "d",
  name: "raspios",
  architecture: "arm64",
  sizeBytes: 31e9,
  usedBytes: 2e9,
  storedBytes: 1e9,
  importedAt: 0,
  slots: 1,
  public: false,
};

test("an update writes the slot that is not in use where the disk has two and the image has two", () => {
  const two = node({ inventory: { ...inventory, slot: "a" } });
  expect([
    usesSlot(two, { ...image, slots: 2 }, true),
    usesSlot(two, { ...image, slots: 2 }, false),
    usesSlot(two, image, true),
    usesSlot(node(), { ...image, slots: 2 }, true),
  ]).toEqual([true, false, false, false]);
});

test("who cannot be installed is left out, with the reason", () => {
  const small = node({ name: "small", inventory: { ...inventory, disks: [{ ...disk, sizeBytes: 8e9 }] } });
  const two = node({ name: "two", inventory: { ...inventory, disks: [disk, { ...disk, name: "sda" }] } });
  const { taken, left } = planInstall([node(), pc, small, two], "arm64", image);
  expect(taken.map((n) => n.name)).toEqual(["node-cdef01"]);
  expect(left.map((l) => `${l.node.name} ${l.why}`)).toEqual([
    "pc is amd64, and an image is for one architecture",
    "small its disk has 8.0 GB, and the image needs 31.0 GB",
    "two 2 disks: NetInst will not guess, and refuse",
  ]);
  expect(planInstall([small], "arm64").taken).toHaveLength(1); // before an image is chosen
});

test("the architecture of the most nodes comes first", () => {
  expect(architecturesOf([pc, node(), node()])).toEqual([
    ["arm64", 2],
    ["amd64", 1],
  ]);
});

test("what was left empty is not asked for", () => {
  expect(jobOf({ ...emptyInstall, image: "d" }, [node()])).toEqual({ kind: "install", nodes: ["10000000abcdef01"], image: "d" });
});

test("an update leaves out who has nothing to keep", () => {
  const fresh = node({ name: "fresh", lifecycle: "new" });
  const { taken, left } = planInstall([node({ lifecycle: "installed" }), fresh], "arm64", undefined, true);
  expect(taken).toHaveLength(1);
  expect(left.map((l) => `${l.node.name} ${l.why}`)).toEqual(["fresh has no system of which something could be kept"]);
  expect(jobOf({ ...emptyInstall, image: "d", update: true }, taken)).toMatchObject({ kind: "install", parameters: { update: true } });
});

test("a roll-out is asked for and told as it was chosen", () => {
  const draft = {
    ...emptyInstall,
    image: "d",
    profile: "lab",
    pace: "canary" as const,
    canary: "2",
    batch: "",
    most: "5",
    stopAfter: " 10% ",
    attempts: "3",
    begin: "2027-01-31T22:00",
    grace: 60,
    message: "bye ",
  };
  expect(jobOf(draft, [node()])).toMatchObject({
    parameters: { profile: "lab", graceSeconds: 60, message: "bye" },
    rollout: { canary: 2, maximumAtOnce: 5, stopAfter: "10%" },
    retry: { attempts: 3 },
    notBefore: new Date(2027, 0, 31, 22).toISOString(),
  });
  expect(rolloutWords(draft)).toBe(
    "2 nodes first, then all others; at most 5 at the same time; stops after 10% failed; each is tried 3 times",
  );
  expect(rolloutWords({ ...emptyInstall, pace: "batches" })).toBe("10 at a time; stops at the first failure");
});
