import type { ComponentChildren } from "preact";
import type { Role } from "../api/types";
import { may, me } from "../state/session";

interface Props {
  role: Role;
  /** What it is about, for the sentence that others read in its place: "Working with nodes". None: they read nothing. */
  what?: string;
  children: ComponentChildren;
}

/** What only some may do: to others it is not offered. */
export function Allowed({ role, what, children }: Props) {
  if (may(role)) return <>{children}</>;
  return what === undefined ? null : <p class="dim">{refusal(role, what)}</p>;
}

/** Why something is not offered. */
export const refusal = (role: Role, what: string) => `${what} takes the role ${role}; you have the role ${me.value?.role ?? "none"}.`;
