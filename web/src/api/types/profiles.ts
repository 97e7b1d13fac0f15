/** How an installed system is made its node's own. Texts are templates; what is empty leaves the image as it is. */
export interface Profile {
  name: string;
  description: string;
  hostName: string;
  users: ProfileUser[];
  locale: string;
  keyboard?: ProfileKeyboard;
  timeZone: string;
  wifi?: ProfileWireless;
  networks: ProfileNetwork[];
  packages: string[];
  files: ProfileFile[];
  firstBootScript: string;
  cloudInit: string;
  keptPaths: string[];
  values: Record<string, string>;
  /** Write-only: absent keeps one, empty forgets it. */
  secrets?: Record<string, string>;
  /** Read-only: names of those that are kept. */
  secretsSet?: string[];
}

export interface ProfileUser {
  name: string;
  fullName: string;
  groups: string[];
  shell: string;
  sudo: boolean;
  keys: string[];
  /** Write-only. */
  passwordHash?: string;
  /** Read-only. */
  passwordSet?: boolean;
}

export interface ProfileKeyboard {
  layout: string;
  model: string;
  variant: string;
  options: string;
}

export interface ProfileWireless {
  ssid: string;
  country: string;
  hidden: boolean;
  /** Write-only. */
  passphrase?: string;
  /** Read-only. */
  passphraseSet?: boolean;
}

export interface ProfileNetwork {
  interface: string;
  address: string;
  gateway: string;
  dns: string[];
}

export interface ProfileFile {
  path: string;
  content: string;
  owner: string;
  mode: string;
  template: boolean;
}

/** What is wrong with a profile, and where: `files[0].path`. */
export interface ProfileFault {
  place: string;
  reason: string;
}

/** What one node would get; secrets are not in it. */
export interface ProfilePreview {
  node: string;
  nodeName: string;
  hostName: string;
  users: { name: string; fullName: string; groups: string[]; shell: string; sudo: boolean; keys: string[] }[];
  locale: string;
  keyboard?: ProfileKeyboard;
  timeZone: string;
  wifi?: { ssid: string; country: string };
  networks: ProfileNetwork[];
  packages: string[];
  files: { path: string; owner: string; mode: string; content: string }[];
  firstBootScript: string;
  cloudInit: string;
  keptPaths: string[];
}

/** Whether a profile fits a node. */
export interface ProfileFit {
  node: string;
  nodeName: string;
  /** Absent where it does not fit. */
  hostName?: string;
  faults: ProfileFault[];
}

/** What `value.NAME` is for groups (by tag) and nodes (by id). */
export interface AllValues {
  groups: Record<string, Record<string, string>>;
  nodes: Record<string, Record<string, string>>;
}
