/** How the appliance's own disk is. */
export type DiskCondition = "good" | "full" | "failing";

/** How the appliance itself is. */
export interface Status {
  version: string;
  /** What came from the network and made no sense, by protocol, since the start. */
  malformed: Record<string, number>;
  /** Where it is not good, nothing can be changed until it is again. */
  disk: DiskCondition;
}

export interface Policy {
  /** Architecture → digest of the image that new nodes get. */
  installNewBoards: Record<string, string>;
  authorizedKeys: string[];
  /** Name of the customisation profile that they get. */
  profile?: string;
  /** Boards never seen before are nodes without a person's approval. */
  approveNewBoards: boolean;
  /** What they are put through once they are installed. */
  burnIn?: "short" | "long";
}

/** Boot files that were taken from an image. */
export interface BootSet {
  name: string;
  image: string;
  kernels: { section: string; file: string; version: string }[];
  bytes: number;
}

export interface BootSets {
  sets: BootSet[];
  /** Model ("all", "pi3", "pi4", "pi5") → name of the set that its boards use. */
  use: Record<string, string>;
}

export type DhcpMode = "proxy" | "full" | "off";

export interface DhcpSettings {
  mode: DhcpMode;
  /** "10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1" */
  pools: string[];
  /** "10.77.0.20=dc:a6:32:01:36:c2" or with a serial number. */
  reservations: string[];
  leaseMinutes: number;
  besideRivals: boolean;
}

export interface Lease {
  address: string;
  mac: string;
  node?: string;
  until: number;
}

export interface Dhcp {
  settings: DhcpSettings;
  /** Set on the command line. */
  fixed: boolean;
  running: boolean;
  /** Why it does not run. */
  fault?: string;
  interfaces: string[];
  leases: Lease[];
}
