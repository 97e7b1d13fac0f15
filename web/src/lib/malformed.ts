import { count } from "./format";

/** What each protocol's pieces are called; others are messages. */
const pieces: Readonly<Record<string, string>> = {
  DHCP: "DHCP packet",
  TFTP: "TFTP packet",
  discovery: "discovery datagram",
  enrolment: "enrolment request",
};

/** What came from the network and made no sense, one line a protocol; none where there is nothing to tell. */
export function malformedLines(counts: Readonly<Record<string, number>>): string[] {
  return Object.entries(counts)
    .filter(([, times]) => times > 0)
    .map(
      ([protocol, times]) =>
        `${count(times, pieces[protocol] ?? `${protocol} message`)} made no sense and ${times === 1 ? "was" : "were"} dropped.`,
    );
}
