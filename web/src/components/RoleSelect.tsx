import type { Role } from "../api/types";
import { me, roles } from "../state/session";

interface Props {
  label: string;
  value: Role;
  onChange: (role: Role) => void;
  /** Of those above the reader's own, none. */
  mine?: boolean;
}

export function RoleSelect({ label, value, onChange, mine }: Props) {
  const offered = mine ? roles.slice(0, roles.indexOf(me.value?.role ?? "viewer") + 1) : roles;
  return (
    <select aria-label={label} value={value} onChange={(e) => onChange(e.currentTarget.value as Role)}>
      {offered.map((role) => (
        <option value={role} key={role}>
          {role}
        </option>
      ))}
    </select>
  );
}
