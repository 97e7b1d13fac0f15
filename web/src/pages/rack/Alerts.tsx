import { useState } from "preact/hooks";
import type { Alert } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Icon } from "../../components/Icon";
import { count } from "../../lib/format";

const few = 6;

/** What is wrong with the nodes that are shown: the newest first, and below it what is over. */
export function AlertList({ alerts }: { alerts: readonly Alert[] }) {
  const [all, setAll] = useState(false);
  const open = alerts.filter((a) => a.endedAt === undefined).sort((a, b) => b.startedAt - a.startedAt);
  const over = alerts.filter((a) => a.endedAt !== undefined).sort((a, b) => b.endedAt! - a.endedAt!);
  if (open.length + over.length === 0) return null;
  const shown = all ? open : open.slice(0, few);
  return (
    <section class="card alerts" aria-label="Alerts">
      <div class="card-head">
        <h2>Alerts</h2>
        <span class="dim">{open.length === 0 ? "None now" : count(open.length, "alert")}</span>
        <a href="/settings/alerts">Rules</a>
      </div>
      <ul>
        {shown.map((alert) => (
          <Row alert={alert} key={`${alert.node} ${alert.rule}`} />
        ))}
      </ul>
      {open.length > few && (
        <button type="button" class="plain" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show all ${open.length}`}
        </button>
      )}
      {over.length > 0 && (
        <details>
          <summary>{count(over.length, "alert")} over</summary>
          <ul>
            {over.slice(0, 100).map((alert) => (
              <Row alert={alert} key={`${alert.node} ${alert.rule}`} />
            ))}
          </ul>
        </details>
      )}
    </section>
  );
}

function Row({ alert }: { alert: Alert }) {
  const state = alert.endedAt !== undefined ? "over" : alert.muted === "" ? "" : "muted";
  return (
    <li class={`alert ${state}`}>
      <Icon name={state === "over" ? "ok" : "warn"} />
      <a href={`/nodes/${alert.node}`}>{alert.nodeName}</a>
      <span>
        {alert.title}
        {alert.text !== "" && <span class="dim"> {alert.text}</span>}
        {alert.times > 1 && <span class="dim"> ×{alert.times}</span>}
      </span>
      <span class="dim">
        {alert.muted !== "" && `muted: ${alert.muted} · `}
        <Ago at={alert.endedAt ?? alert.startedAt} />
      </span>
    </li>
  );
}
