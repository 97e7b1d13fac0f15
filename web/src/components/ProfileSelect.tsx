import { api } from "../api/client";
import { Notice } from "./Notice";
import { useRead } from "./useRead";

interface Props {
  label: string;
  /** Name of a profile; empty: none. */
  value: string;
  onChange: (name: string) => void;
}

/** One of the customisation profiles, or none. */
export function ProfileSelect({ label, value, onChange }: Props) {
  const profiles = useRead(api.profiles);
  return (
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={(e) => onChange(e.currentTarget.value)}>
        <option value="">none</option>
        {profiles.value?.map((p) => (
          <option value={p.name} key={p.name}>
            {p.name}
          </option>
        ))}
      </select>
      {profiles.error !== "" && <Notice tone="bad">{profiles.error}</Notice>}
    </label>
  );
}
