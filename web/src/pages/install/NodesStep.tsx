import type { NodeView } from "../../api/types";
import { Choice } from "../../components/Choice";
import { Notice } from "../../components/Notice";
import { filterFault } from "../../lib/filter";
import { count } from "../../lib/format";
import { architecturesOf, type InstallDraft, type InstallPlan } from "../../lib/install";

export interface StepProps {
  draft: InstallDraft;
  set: (change: Partial<InstallDraft>) => void;
  plan: InstallPlan;
}

/** Which nodes: those that were picked, or those that words take now. */
export function NodesStep({ draft, set, plan, chosen }: StepProps & { chosen: readonly NodeView[] }) {
  const architectures = architecturesOf(chosen);
  return (
    <>
      {draft.picked ? (
        <p>
          {count(draft.picked.length, "node")} that you selected.{" "}
          <button type="button" class="small" onClick={() => set({ picked: null })}>
            Use a selector instead
          </button>
        </p>
      ) : (
        <label class="field">
          <span>Node selector, e.g. tag=classroom, or all</span>
          <input
            type="text"
            value={draft.select}
            placeholder="tag=classroom -state:offline"
            autoComplete="off"
            autoCapitalize="off"
            spellcheck={false}
            onInput={(e) => set({ select: e.currentTarget.value })}
          />
        </label>
      )}
      {architectures.length > 1 && (
        <fieldset aria-label="Architecture">
          <p>They are of several architectures, and an image is for one. Install</p>
          {architectures.map(([architecture, n]) => (
            <Choice
              name="architecture"
              key={architecture}
              title={`${architecture}: ${count(n, "node")}`}
              checked={draft.architecture === architecture}
              onChoose={() => set({ architecture })}
            />
          ))}
        </fieldset>
      )}
      {chosen.length === 0 && (draft.picked || draft.select.trim() !== "") && (
        <Notice tone="warn">{(draft.picked === null && filterFault(draft.select)) || "No nodes match."}</Notice>
      )}
      {plan.taken.length > 0 && (
        <>
          <h3>{count(plan.taken.length, "node")} to install</h3>
          <p class="names" tabIndex={0} aria-label="Nodes to install">
            {plan.taken.map((n) => n.name).join(", ")}
          </p>
        </>
      )}
      <LeftOut plan={plan} />
    </>
  );
}

/** Who was chosen and is not installed, and why. */
export function LeftOut({ plan }: { plan: InstallPlan }) {
  if (plan.left.length === 0) return null;
  return (
    <>
      <h3>{count(plan.left.length, "node")} left out</h3>
      <ul class="erase" aria-label="Nodes that are left out" tabIndex={0}>
        {plan.left.map(({ node, why }) => (
          <li key={node.id}>
            <strong>{node.name}</strong>
            <span class="warn-text">{why}</span>
          </li>
        ))}
      </ul>
    </>
  );
}
