import { expect, test } from "vitest";
import type { BoardView, BootEvent } from "../src/api/types";
import { boardTitle, bootSetName, bootTime, eventLine, strangers } from "../src/lib/boot";
import { nothing, reduce } from "../src/state/reduce";
import { node } from "./fixtures";

function board(change: Partial<BoardView> = {}): BoardView {
  return {
    mac: "dc:a6:32:01:36:c2",
    program: "Raspberry Pi's EEPROM",
    firstSeen: 0,
    lastSeen: 0,
    severity: "good",
    headline: "",
    ...change,
  };
}

test("a board is on the wire alone until its node is known", () => {
  const boards = [
    board({ mac: "1", lastSeen: 1 }),
    board({ mac: "2", lastSeen: 2 }),
    board({ mac: "3", node: node().id }),
    board({ mac: "4", node: "forgotten", lastSeen: 3 }),
  ];
  expect(strangers(boards, new Map([[node().id, node()]])).map((b) => b.mac)).toEqual(["4", "2", "1"]);
});

test("a boot event brings the board's newest state", () => {
  const came = reduce(nothing, [
    { name: "boot", data: { board: board(), events: [] } },
    { name: "boot", data: { board: board({ severity: "fault" }), events: [] } },
  ]);
  expect([...came.boards.values()].map((b) => b.severity)).toEqual(["fault"]);
});

test("a vendor by MAC prefix is a hint and says so", () => {
  expect(boardTitle(board({ model: "Raspberry Pi 5", vendor: "Raspberry Pi" }))).toBe("Raspberry Pi 5");
  expect(boardTitle(board({ vendor: "Raspberry Pi" }))).toBe("Raspberry Pi (by its MAC address)");
  expect(boardTitle(board())).toBe("Raspberry Pi's EEPROM");
});

test("spans of a boot have tenths while they are short", () => {
  expect([40, 9_940, 9_960, 119_400, 125_000, -5].map(bootTime)).toEqual(["0.0 s", "9.9 s", "10 s", "119 s", "2 min 5 s", "0.0 s"]);
});

const times = { at: 0, until: 0, count: 1 };
const cases: [BootEvent, string, boolean][] = [
  [
    { ...times, type: "dhcp", client: "raspberry-pi", asked: "discover", answered: "offer", count: 3 },
    "DHCP discover, answered: offer, 3 times",
    false,
  ],
  [{ ...times, type: "dhcp", client: "none", asked: "request", chosenServer: "10.0.0.1" }, "The system's DHCP request to 10.0.0.1", false],
  [
    { ...times, type: "file", protocol: "tftp", path: "a/start4.elf", outcome: "completed", bytes: 2_250_000, length: 2_250_000 },
    "a/start4.elf fetched, 2.3 MB",
    false,
  ],
  [{ ...times, type: "file", protocol: "tftp", path: "recovery.elf", outcome: "not-found", bytes: 0 }, "recovery.elf not there", false],
  [
    { ...times, type: "file", protocol: "tftp", path: "k", outcome: "timed-out", bytes: 1000, length: 5000, detail: "no acknowledgement" },
    "k fell silent, 1.0 kB of 5.0 kB: no acknowledgement",
    true,
  ],
  [{ ...times, type: "link", stage: "waiting", detail: "for a person" }, "Waits for a person: for a person", false],
];

test.each(cases)("a line is told in words, and trouble stands out", (e, text, trouble) => {
  expect(eventLine(e)).toEqual({ text, trouble });
});

test.each([
  ["Raspberry Pi OS (64-bit)", "raspberry-pi-os-64-bit"],
  ["--", "pi5"],
  [`x${"y".repeat(60)}`, `x${"y".repeat(39)}`],
])("a boot set of the image %s is called %s", (image, name) => expect(bootSetName(image)).toBe(name));
