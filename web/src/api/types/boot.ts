export type Severity = "good" | "notice" | "warning" | "fault";

/** A board as the wire shows it, before and after it is a node. */
export interface BoardView {
  mac: string;
  node?: string;
  program: string;
  /** Version of a Raspberry Pi's EEPROM, as far as it is known. */
  eeprom?: string;
  model?: string;
  serial?: string;
  uuid?: string;
  vendor?: string;
  interface?: string;
  address?: string;
  asksFor?: string;
  firstSeen: number;
  lastSeen: number;
  severity: Severity;
  headline: string;
}

export interface Finding {
  rule: string;
  severity: Severity;
  cause: string;
  evidence: string;
  change?: string;
}

interface BootTimes {
  at: number;
  until: number;
  count: number;
}

/** One line of a boot. */
export type BootEvent =
  | (BootTimes & {
      type: "dhcp";
      client: string;
      asked: string;
      answered?: string;
      address?: string;
      chosenServer?: string;
      relay?: string;
    })
  | (BootTimes & {
      type: "file";
      protocol: "tftp" | "http";
      path: string;
      outcome: string;
      bytes: number;
      length?: number;
      detail?: string;
    })
  | (BootTimes & { type: "link"; stage: "net-inst" | "waiting" | "installing" | "slave" | "left"; detail?: string });

/** One boot, from the first DHCP message to the introduction. */
export interface Conversation {
  startedAt: number;
  lastAt: number;
  introduced: boolean;
  dropped: number;
  events: BootEvent[];
  findings: Finding[];
}
