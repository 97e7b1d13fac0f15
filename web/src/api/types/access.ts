/** Each may what those before it may. */
export type Role = "viewer" | "operator" | "admin";

export type Session = { signedIn: false } | ({ signedIn: true } & Me);

/** Who this browser is signed in as. */
export interface Me {
  name: string;
  role: Role;
  hasPassword: boolean;
}

/** SHA-256 of the appliance's CA, as `bootstrap serve` prints it. */
export interface CaFingerprint {
  sha256: string;
}

export interface Person {
  name: string;
  role: Role;
  /** Signs in by password; else by link alone. */
  hasPassword: boolean;
  createdAt: number;
}

/** A link for somebody: `/sign-in#token`. */
export interface Invitation {
  name: string;
  role: Role;
  token: string;
}

export interface TokenView {
  id: string;
  name: string;
  owner: string;
  role: Role;
  createdAt: number;
  expiresAt?: number;
  lastUsedAt?: number;
}

export interface NewToken {
  name: string;
  role: Role;
  /** How long it is good; absent: for ever. */
  days?: number;
}

export interface MadeToken {
  name: string;
  /** Shown this once. */
  token: string;
}

export interface AuditEntry {
  id: number;
  at: number;
  /** Empty: somebody who was not signed in. */
  who: string;
  what: string;
  /** What it was done to. */
  subject: string;
  /** Why it was not done; empty: it was. */
  refusal: string;
}
