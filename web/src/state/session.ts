import { computed, signal } from "@preact/signals";
import type { Me, Role, Session } from "../api/types";

/** Null: not known yet. */
export const session = signal<Session | null>(null);

export const signedIn = computed(() => session.value?.signedIn ?? null);

/** Who the reader is; null where nobody is signed in. */
export const me = computed<Me | null>(() => (session.value?.signedIn ? session.value : null));

/** From the one who may least. */
export const roles: readonly Role[] = ["viewer", "operator", "admin"];

/** Whether the reader has a role, or one that may more. The appliance has the last word. */
export function may(role: Role): boolean {
  return me.value !== null && roles.indexOf(me.value.role) >= roles.indexOf(role);
}
