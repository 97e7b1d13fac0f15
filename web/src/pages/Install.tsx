import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api/client";
import { Allowed } from "../components/Allowed";
import { Notice } from "../components/Notice";
import { useAction } from "../components/useAction";
import { confirmed } from "../lib/confirm";
import { nodeFilter } from "../lib/filter";
import { count } from "../lib/format";
import { holdSeconds } from "../lib/hold";
import { architecturesOf, emptyInstall, type InstallDraft, jobOf, planInstall } from "../lib/install";
import { go, queryValue } from "../lib/router";
import { installDraft, startInstall } from "../state/installDraft";
import { nodes, snapshot } from "../state/store";
import { ConfirmStep } from "./install/ConfirmStep";
import { CustomiseStep } from "./install/CustomiseStep";
import { ImageStep, imagesFor } from "./install/ImageStep";
import { NodesStep } from "./install/NodesStep";
import { RolloutStep } from "./install/RolloutStep";
import { useFit } from "./install/useFit";

const steps = ["nodes", "image", "profile", "rollout", "confirm"] as const;
type Step = (typeof steps)[number];

const titles: Record<Step, string> = {
  nodes: "Nodes",
  image: "Image",
  profile: "Customisation",
  rollout: "Roll-out",
  confirm: "Confirmation",
};

const stepUrl = (step: Step) => (step === "nodes" ? "/install" : `/install?step=${step}`);

/**
 * An installation, step by step: `/install?select=tag=lab` begins one, `/install?step=image` is a step of it. Nothing is ordered before
 * the last.
 */
export function InstallPage() {
  const select = queryValue("select");
  useEffect(() => {
    if (select !== "") startInstall({ select }, true);
  }, [select]);
  return (
    <>
      <p class="crumbs">
        <a href="/nodes">Nodes</a> /
      </p>
      <div class="page-head">
        <h1>Install</h1>
      </div>
      <Allowed role="operator" what="Installing nodes">
        <Wizard />
      </Allowed>
    </>
  );
}

/** Those that are chosen: before the first step is left, whoever is like that at this moment. */
function chosenNodes(draft: InstallDraft, step: Step) {
  if (step === "nodes" && draft.picked === null) return draft.select.trim() === "" ? [] : nodes.value.filter(nodeFilter(draft.select));
  const ids = new Set(step === "nodes" ? draft.picked : draft.nodes);
  return nodes.value.filter((n) => ids.has(n.id));
}

/** The draft with what follows from its nodes: their most frequent architecture, and its newest image. */
function settled(draft: InstallDraft, chosen: ReturnType<typeof chosenNodes>): InstallDraft {
  const architectures = architecturesOf(chosen).map(([a]) => a);
  const architecture = architectures.includes(draft.architecture) ? draft.architecture : (architectures[0] ?? "");
  const fitting = imagesFor(architecture);
  return { ...draft, architecture, image: (fitting.find((i) => i.digest === draft.image) ?? fitting.find((i) => !i.fault))?.digest ?? "" };
}

function Wizard() {
  const wanted = steps.find((s) => s === queryValue("step")) ?? "nodes";
  // Who follows an old link, or whose nodes are gone, begins with them.
  const step = wanted !== "nodes" && installDraft.value.nodes.length === 0 ? "nodes" : wanted;
  const at = steps.indexOf(step);
  const chosen = chosenNodes(installDraft.value, step);
  const draft = settled(installDraft.value, chosen);
  const image = snapshot.value.images.get(draft.image);
  const plan = planInstall(chosen, draft.architecture, step === "nodes" ? undefined : image, at > 1 && draft.update);
  const fit = useFit(step === "nodes" ? "" : draft.profile, plan.taken);
  const [typed, setTyped] = useState("");
  const { busy, error, run } = useAction();
  const heading = useRef<HTMLHeadingElement>(null);
  const shown = useRef(step);
  useEffect(() => {
    if (shown.current !== step) heading.current?.focus();
    shown.current = step;
    setTyped("");
  }, [step]);

  const set = (change: Partial<InstallDraft>) => (installDraft.value = { ...draft, ...change });
  const ready =
    plan.taken.length > 0 &&
    (at === 0 || image !== undefined) &&
    (at < 2 || (fit.known && fit.faulty.length === 0 && fit.error === "")) &&
    (step !== "confirm" || confirmed(typed, String(plan.taken.length)));

  async function forward(): Promise<void> {
    if (step !== "confirm") {
      set(step === "nodes" ? { nodes: chosen.map((n) => n.id) } : {});
      go(stepUrl(steps[at + 1]!));
      return;
    }
    const detail = await api.order({ ...jobOf(draft, plan.taken), holdSeconds });
    installDraft.value = emptyInstall;
    go(`/jobs/${detail.job.id}`, true);
  }

  const props = { draft, set, plan };
  return (
    <>
      <ol class="steps wizard-steps" aria-label="Steps">
        {steps.map((s, i) => (
          <li key={s} class={i < at ? "past" : i === at ? "present" : ""} aria-current={i === at ? "step" : undefined}>
            {i < at ? <a href={stepUrl(s)}>{titles[s]}</a> : titles[s]}
          </li>
        ))}
      </ol>
      <form
        class="card wizard"
        aria-label={titles[step]}
        onSubmit={(e) => {
          e.preventDefault();
          if (ready) void run(forward);
        }}
      >
        <div class="card-head">
          <h2 ref={heading} tabIndex={-1}>
            {titles[step]}
          </h2>
          {plan.taken.length > 0 && (
            <span class="dim" role="status">
              {count(plan.taken.length, "node")}
              {plan.left.length > 0 && `, ${plan.left.length} left out`}
            </span>
          )}
        </div>
        {step === "nodes" && <NodesStep {...props} chosen={chosen} />}
        {step === "image" && <ImageStep {...props} />}
        {step === "profile" && <CustomiseStep {...props} fit={fit} />}
        {step === "rollout" && <RolloutStep {...props} />}
        {step === "confirm" && <ConfirmStep {...props} image={image} typed={typed} onType={setTyped} />}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer class="button-row">
          {at > 0 && (
            <button type="button" onClick={() => go(stepUrl(steps[at - 1]!))}>
              Back
            </button>
          )}
          <button type="submit" class={step === "confirm" ? "danger" : "primary"} disabled={busy || !ready}>
            {step === "confirm" ? `${draft.update ? "Update" : "Erase and install"} ${count(plan.taken.length, "node")}` : "Next"}
          </button>
          <a href="/nodes">Cancel</a>
        </footer>
      </form>
    </>
  );
}
