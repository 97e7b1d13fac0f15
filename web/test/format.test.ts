import { expect, test } from "vitest";
import { ago, bytes, count, duration, memory, percent, rate, throttling, timeLeft } from "../src/lib/format";
import { imageFault, imageName } from "../src/lib/imageName";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [1000, "1.0 kB"],
  [999_960, "1.0 MB"],
  [1_300_000_000, "1.3 GB"],
  [31_914_983_424, "31.9 GB"],
  [128_000_000_000, "128 GB"],
])("%d bytes are %s", (value, text) => expect(bytes(value)).toBe(text));

test.each([
  [512 * 2 ** 20, "512 MiB"],
  [4 * 2 ** 30, "4 GiB"],
  [3_980_000_000, "3.7 GiB"],
  [16 * 2 ** 30, "16 GiB"],
])("%d bytes of memory are %s", (value, text) => expect(memory(value)).toBe(text));

test.each([
  [0, "0 s"],
  [59_400, "59 s"],
  [125_000, "2 min 5 s"],
  [3_600_000, "1 h"],
  [273_600_000, "3 d 4 h"],
  [-5000, "0 s"],
])("%d ms are %s", (value, text) => expect(duration(value)).toBe(text));

test("a clock that is behind makes nothing later than now", () => expect(ago(2000, 1000)).toBe("just now"));
test("ago names the greatest unit", () => expect(ago(0, 3_725_000)).toBe("1 h ago"));

test("time left is known only with a rate and a total", () => {
  expect(timeLeft(50, 100, 10)).toBe(5000);
  expect(timeLeft(50, 0, 10)).toBeNull();
  expect(timeLeft(50, 100, 0)).toBeNull();
});

test("a rate that is not known is not shown", () => expect(rate(0, "bytes")).toBe(""));
test("what is not over is not 100 %", () => expect(percent(0.9999)).toBe("99 %"));
test("one is not many", () => expect([count(1, "node"), count(1200, "node")]).toEqual(["1 node", "1,200 nodes"]));
test("throttling flags are told in words", () =>
  expect(throttling(0x50005)).toEqual([
    "under-voltage now",
    "throttled now",
    "under-voltage since the start",
    "throttled since the start",
  ]));

test.each([
  ["2024-11-19-raspios-bookworm-arm64-lite.img.xz", "2024-11-19-raspios-bookworm-arm64-lite"],
  ["disk.raw", "disk"],
  ["debian-12.6", "debian-12.6"],
])("an image of file %s is called %s", (file, name) => expect(imageName(file)).toBe(name));

const head = (...bytes: number[]) => Uint8Array.from({ length: 512 }, (_, i) => bytes[i] ?? 0);
const disk = (at510: number, at511: number) => Uint8Array.from({ length: 512 }, (_, i) => (i === 510 ? at510 : i === 511 ? at511 : 0));

test.each([
  ["xz", head(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0)],
  ["zstd", head(0x28, 0xb5, 0x2f, 0xfd)],
  ["pzstd", head(0x5d, 0x2a, 0x4d, 0x18)],
  ["gzip", head(0x1f, 0x8b, 8)],
  ["a disk with a partition table", disk(0x55, 0xaa)],
])("%s may be an image", (_, bytes) => expect(imageFault("a.img", bytes)).toBe(""));

test.each([
  ["text", Uint8Array.from([..."Buy milk."].map((c) => c.charCodeAt(0)))],
  ["nothing", new Uint8Array()],
  ["zeros", new Uint8Array(512)],
  ["zip", head(0x50, 0x4b, 3, 4)],
  ["a disk whose mark is turned round", disk(0xaa, 0x55)],
])("%s is no image", (_, bytes) => expect(imageFault("notes.txt", bytes)).toMatch(/^notes.txt is no disk image: /));
