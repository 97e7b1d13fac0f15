import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { refusal } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { may } from "../../state/session";

interface FormProps {
  title: string;
  note: string;
  changed: boolean;
  /** Shown once it was saved. */
  done: string;
  /** Where saving erases disks later: what the button says then. */
  danger?: string | undefined;
  onSave: () => Promise<void>;
  children: ComponentChildren;
}

/** A card of settings that are saved together, by administrators. */
export function SettingsForm({ title, note, changed, done, danger, onSave, children }: FormProps) {
  const [saved, setSaved] = useState(false);
  const { busy, error, run } = useAction();
  return (
    <form
      class="card"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          await onSave();
          setSaved(true);
        });
      }}
    >
      <h2>{title}</h2>
      <p>{note}</p>
      {!may("admin") && <p class="dim">{refusal("admin", "Changing this")}</p>}
      <fieldset disabled={!may("admin")} aria-label={title}>
        {children}
      </fieldset>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {saved && !changed && <Notice tone="good">{done}</Notice>}
      <button type="submit" class={danger !== undefined && changed ? "danger" : "primary"} disabled={busy || !changed}>
        {(changed ? danger : undefined) ?? "Save"}
      </button>
    </form>
  );
}
