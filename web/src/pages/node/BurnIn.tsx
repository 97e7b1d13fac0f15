import { api } from "../../api/client";
import type { BurnIn, NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { Badge } from "../../components/Badge";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { jobs } from "../../state/store";

const verdicts = {
  running: <Badge icon="work" tone="busy" text="Being tried" />,
  passed: <Badge icon="ok" tone="good" text="Fit" />,
  failed: <Badge icon="fail" tone="bad" text="Not fit" />,
} as const;

/** Whether the board has passed its burn-in, and beginning one. */
export function BurnInPart({ node }: { node: NodeView }) {
  const its = jobs.value.filter((j) => j.kind === "benchmark" || j.parameters?.testCard === true);
  const changes = `${its.map((j) => `${j.id} ${j.ended}`).join()} ${node.task?.phase}`;
  const { value: found, reload } = useRead(() => api.burnIns(node.id), [node.id, changes]);
  const { busy, error, run } = useAction();
  if (found === undefined) return null;
  const last = found[0];
  const begin = (set: "short" | "long") =>
    void run(async () => {
      await api.beginBurnIn(node.id, set);
      await reload();
    });
  return (
    <section class="card" aria-label="Burn-in">
      <h2>Burn-in</h2>
      {last === undefined ? (
        <p class="dim">This board was never put through card, memory and processor benchmarks.</p>
      ) : (
        <Verdict of={last} />
      )}
      {last?.state !== "running" && (
        <Allowed role="operator" what="Burn-ins">
          <div class="actions">
            <button type="button" disabled={busy} onClick={() => begin("short")}>
              Begin a short burn-in
            </button>
            <button type="button" disabled={busy} onClick={() => begin("long")}>
              Begin a long burn-in
            </button>
          </div>
        </Allowed>
      )}
      {error !== "" && (
        <p class="bad-text" role="alert">
          {error}
        </p>
      )}
    </section>
  );
}

function Verdict({ of }: { of: BurnIn }) {
  return (
    <>
      <p>
        {verdicts[of.state]} by the {of.set === "card" ? "test of its card" : `${of.set} burn-in`}, begun <Ago at={of.startedAt} />; jobs{" "}
        {of.jobs.map((job, i) => (
          <span key={job}>
            {i > 0 && ", "}
            <a href={`/jobs/${job}`}>{i + 1}</a>
          </span>
        ))}
      </p>
      {of.findings.length > 0 && (
        <ul>
          {of.findings.map((finding) => (
            <li key={finding}>{finding}</li>
          ))}
        </ul>
      )}
    </>
  );
}
