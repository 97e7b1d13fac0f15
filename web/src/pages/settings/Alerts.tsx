import { useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { AlertComparison, AlertRule, AlertRuleView, Metric } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { type Column, Table } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { comparisonWords, conditionText } from "../../lib/alerts";
import { metricOf } from "../../lib/status";
import { may } from "../../state/session";

const newRule: AlertRule = {
  name: "",
  title: "",
  metric: "temperature",
  comparison: "above",
  threshold: 75,
  forSeconds: 30,
  enabled: true,
};

/** When an alert is raised. */
export function AlertsPart() {
  const rules = useRead(api.alertRules);
  const metrics = useRead(api.alertMetrics);
  const [editing, setEditing] = useState<AlertRuleView>();
  // The box that was clicked is as it was clicked, while the appliance is asked.
  const [clicked, setClicked] = useState<AlertRule>();
  const { busy, error, run } = useAction();
  const all = metrics.value;
  const columns = useMemo((): Column<AlertRuleView>[] => {
    async function change(rule: AlertRule): Promise<void> {
      setClicked(rule);
      await run(async () => {
        await api.setAlertRule(rule);
        await rules.reload();
      });
      setClicked(undefined);
    }
    return [
      { id: "title", title: "Alert", width: "minmax(9rem, 1fr)", cell: ({ rule }) => rule.title },
      { id: "when", title: "When", width: "minmax(12rem, 2fr)", cell: ({ rule }) => conditionText(rule, all ?? []) },
      { id: "nodes", title: "Nodes", width: "minmax(6rem, 0.8fr)", minor: true, cell: ({ rule }) => rule.select ?? "all" },
      {
        id: "change",
        title: "Enabled",
        width: "9rem",
        cell: ({ rule, origin }) => (
          <span class="rule-change">
            <input
              type="checkbox"
              aria-label={`${rule.title} enabled`}
              checked={clicked?.name === rule.name ? clicked.enabled : rule.enabled}
              disabled={busy || !may("operator")}
              onChange={(e) => void change({ ...rule, enabled: e.currentTarget.checked })}
            />
            {may("operator") && (
              <button type="button" class="plain" aria-label={`Edit ${rule.title}`} onClick={() => setEditing({ rule, origin })}>
                Edit
              </button>
            )}
          </span>
        ),
      },
    ];
  }, [all, busy, clicked, rules.reload]);
  return (
    <section class="card">
      <div class="card-head">
        <h2>Alerts</h2>
        <Allowed role="operator" what="Changing alerts">
          <button type="button" onClick={() => setEditing({ rule: newRule, origin: "own" })}>
            Add a rule
          </button>
        </Allowed>
      </div>
      <p>
        Each node looks at its own values once a second. What is wrong is on the <a href="/rack">rack page</a> at once; who is told is under{" "}
        <a href="/settings/notifications">Notifications</a>. During a node's jobs and its maintenance windows nobody is.
      </p>
      {[error, rules.error, metrics.error].map((e) => e !== "" && <Notice tone="bad">{e}</Notice>)}
      {rules.value && all && <Table label="Rules" columns={columns} rows={rules.value} keyOf={({ rule }) => rule.name} />}
      {editing && all && (
        <RuleDialog
          view={editing}
          metrics={all}
          onClose={() => setEditing(undefined)}
          onDone={async () => {
            setEditing(undefined);
            await rules.reload();
          }}
        />
      )}
    </section>
  );
}

interface DialogProps {
  view: AlertRuleView;
  metrics: readonly Metric[];
  onClose: () => void;
  onDone: () => Promise<void>;
}

function RuleDialog({ view: { rule: kept, origin }, metrics, onClose, onDone }: DialogProps) {
  const [rule, setRule] = useState(kept);
  const isNew = kept.name === "";
  const { busy, error, run } = useAction();
  const metric = metrics.find((m) => m.name === metricOf(rule.metric));
  const set = (part: Partial<AlertRule>) => setRule({ ...rule, ...part });
  const end = (action: () => Promise<unknown>) =>
    void run(async () => {
      await action();
      await onDone();
    });
  return (
    <Dialog title={isNew ? "New rule" : kept.title} onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          end(() => api.setAlertRule(rule));
        }}
      >
        {isNew && (
          <label class="field">
            <span>Name</span>
            <input
              required
              value={rule.name}
              pattern="[a-z0-9][a-z0-9\-]*"
              placeholder="hot-cameras"
              onInput={(e) => set({ name: e.currentTarget.value })}
            />
          </label>
        )}
        <label class="field">
          <span>Title</span>
          <input required value={rule.title} maxLength={60} onInput={(e) => set({ title: e.currentTarget.value })} />
        </label>
        <label class="field">
          <span>Metric</span>
          <select value={rule.metric} onChange={(e) => set({ metric: e.currentTarget.value })}>
            {!metrics.some((m) => m.name === rule.metric) && <option value={rule.metric}>{rule.metric}</option>}
            {metrics.map((m) => (
              <option value={m.name} key={m.name}>
                {m.title}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Alert when it</span>
          <select value={rule.comparison} onChange={(e) => set({ comparison: e.currentTarget.value as AlertComparison })}>
            {Object.entries(comparisonWords).map(([value, words]) => (
              <option value={value} key={value}>
                {words}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span>Threshold{metric && !["flag", "count"].includes(metric.unit) ? ` (${metric.unit.replaceAll("-", " ")})` : ""}</span>
          <input
            required
            type="number"
            step="any"
            value={rule.threshold}
            onInput={(e) => set({ threshold: e.currentTarget.valueAsNumber })}
          />
        </label>
        <label class="field">
          <span>{rule.comparison === "rises-by" ? "Within seconds" : "For seconds"}</span>
          <input
            required
            type="number"
            min={0}
            max={86400}
            value={rule.forSeconds}
            onInput={(e) => set({ forSeconds: e.currentTarget.valueAsNumber })}
          />
        </label>
        <label class="field">
          <span>On nodes</span>
          <input
            value={rule.select ?? ""}
            placeholder="all, or a filter such as tag:camera"
            onInput={(e) => {
              const { select: _, ...rest } = rule;
              setRule(e.currentTarget.value.trim() === "" ? rest : { ...rest, select: e.currentTarget.value });
            }}
          />
        </label>
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          {!isNew && origin !== "built-in" && (
            <button type="button" disabled={busy} onClick={() => end(() => api.removeAlertRule(kept.name))}>
              {origin === "own" ? "Remove" : "Put back"}
            </button>
          )}
          <button type="submit" class="primary" disabled={busy}>
            Save
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
