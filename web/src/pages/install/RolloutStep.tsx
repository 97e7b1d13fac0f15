import { Choice } from "../../components/Choice";
import { GraceField } from "../../components/GraceField";
import type { InstallDraft } from "../../lib/install";
import type { StepProps } from "./NodesStep";

/** In which order, when, and what becomes of those that fail. */
export function RolloutStep({ draft, set }: StepProps) {
  const pace = (value: InstallDraft["pace"]) => ({ name: "pace", checked: draft.pace === value, onChoose: () => set({ pace: value }) });
  const number = (field: "canary" | "batch" | "most" | "attempts", label: string, min = 1, placeholder = "") => (
    <label class="field">
      <span>{label}</span>
      <input
        type="number"
        min={min}
        placeholder={placeholder}
        value={draft[field]}
        onInput={(e) => set({ [field]: e.currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <fieldset aria-label="Pace">
        <Choice {...pace("at-once")} title="All at once">
          The quickest: nodes that load the same image share what travels.
        </Choice>
        <Choice {...pace("canary")} title="Canary">
          The others begin when these are installed and are back; if one of them fails, nobody else begins.
        </Choice>
        <Choice {...pace("batches")} title="In batches">
          One part after the other, so that the rest goes on working meanwhile.
        </Choice>
      </fieldset>
      <div class="pair">
        {draft.pace === "canary" && number("canary", "Canary nodes")}
        {draft.pace !== "at-once" && number("batch", draft.pace === "canary" ? "Then at a time" : "Nodes in a batch", 1, "all")}
        {number("most", "Max concurrent", 1, "no limit")}
      </div>
      <div class="pair">
        <label class="field">
          <span>Stop after N failures (3, or 10%)</span>
          <input
            type="text"
            pattern="\s*([1-9][0-9]*%?)?\s*"
            title="A number such as 3, or a part such as 10%"
            placeholder={draft.pace === "at-once" ? "never" : "1"}
            value={draft.stopAfter}
            onInput={(e) => set({ stopAfter: e.currentTarget.value })}
          />
        </label>
        {number("attempts", "Attempts on each node")}
      </div>
      <fieldset aria-label="Beginning">
        <Choice name="begin" title="Begin now" checked={draft.begin === ""} onChoose={() => set({ begin: "" })} />
        <Choice
          name="begin"
          title="Begin at a time"
          checked={draft.begin !== ""}
          onChoose={() => set({ begin: localTime(Date.now() + 3600_000) })}
        />
        {draft.begin !== "" && (
          <label class="field">
            <span>Date and time, by your clock ({Intl.DateTimeFormat().resolvedOptions().timeZone})</span>
            <input
              type="datetime-local"
              required
              min={localTime(Date.now())}
              value={draft.begin}
              onInput={(e) => e.currentTarget.value !== "" && set({ begin: e.currentTarget.value })}
            />
          </label>
        )}
      </fieldset>
      <GraceField grace={draft.grace} message={draft.message} onChange={set} />
    </>
  );
}

/** "2027-01-31T22:00" by the reader's clock, as the control has it. */
function localTime(at: number): string {
  return new Date(at - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
