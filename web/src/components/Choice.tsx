import type { ComponentChildren } from "preact";

interface Props {
  /** Of the group. */
  name: string;
  checked: boolean;
  disabled?: boolean;
  onChoose: () => void;
  title: ComponentChildren;
  children?: ComponentChildren;
}

/** One of several: its name, and what it means in small. */
export function Choice({ name, checked, disabled, onChoose, title, children }: Props) {
  return (
    <label class="choice">
      <input type="radio" name={name} checked={checked} disabled={disabled} onChange={onChoose} />
      <span>
        {title}
        {children !== undefined && <small>{children}</small>}
      </span>
    </label>
  );
}
