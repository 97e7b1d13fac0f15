import { expect, test } from "vitest";
import { malformedLines } from "../src/lib/malformed";

test("each protocol has one line with its count", () =>
  expect(malformedLines({ DHCP: 3, discovery: 1, link: 2 })).toEqual([
    "3 DHCP packets made no sense and were dropped.",
    "1 discovery datagram made no sense and was dropped.",
    "2 link messages made no sense and were dropped.",
  ]));

test("nothing is said of what did not happen", () => {
  expect(malformedLines({})).toEqual([]);
  expect(malformedLines({ TFTP: 0, enrolment: 0 })).toEqual([]);
});
