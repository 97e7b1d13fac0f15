import { api } from "../api/client";
import { count, percent } from "../lib/format";
import { ongoing } from "../lib/progress";
import { location } from "../lib/router";
import { isDark, toggleTheme } from "../lib/theme";
import { me, session } from "../state/session";
import { connection, end, nodes, openAlerts, snapshot } from "../state/store";
import { Icon } from "./Icon";
import { Bar } from "./Progress";

const pages = [
  ["/nodes", "Nodes"],
  ["/rack", "Rack"],
  ["/images", "Images"],
  ["/jobs", "Jobs"],
  ["/benchmarks", "Benchmarks"],
  ["/schedules", "Schedules"],
  ["/settings", "Settings"],
] as const;

const connectionWords = { connecting: "Connecting", live: "Live", lost: "Connection lost" };

export async function signOut(): Promise<void> {
  await api.signOut();
  end();
  session.value = { signedIn: false };
}

/** What is going on, from everywhere one click away. */
function Ongoing() {
  const { tasks, fraction, jobs } = ongoing(nodes.value, snapshot.value.jobs);
  if (tasks === 0) return null;
  return (
    <a class="ongoing" href={jobs.length === 1 ? `/jobs/${jobs[0]}` : "/jobs"}>
      <span>
        {count(tasks, "task")}
        <span class="spoken"> under way</span>
      </span>
      <Bar fraction={fraction} label="All tasks together" />
      <span class="number">{percent(fraction)}</span>
    </a>
  );
}

/** How much is wrong, from everywhere one click away. */
function AlertCount() {
  const alerts = openAlerts.value.length;
  if (alerts === 0) return null;
  return (
    <span class="alert-count" title={count(alerts, "alert")}>
      {alerts}
      <span class="spoken"> alerts</span>
    </span>
  );
}

export function Header() {
  const path = location.value.path;
  const dark = isDark();
  return (
    <header class="top">
      <a class="brand" href="/nodes">
        <img src="/favicon.svg" alt="" width="22" height="22" />
        Bootstrap
      </a>
      <nav aria-label="Pages">
        {pages.map(([url, title]) => (
          <a href={url} key={url} aria-current={path.startsWith(url) ? "page" : undefined}>
            {title}
            {url === "/rack" && <AlertCount />}
          </a>
        ))}
      </nav>
      <div class="top-end">
        <Ongoing />
        <span class={`connection ${connection.value}`} role="status">
          <i aria-hidden="true" />
          <span>{connectionWords[connection.value]}</span>
        </span>
        <button
          type="button"
          class="plain"
          onClick={toggleTheme}
          aria-label={dark ? "Light colours" : "Dark colours"}
          title={dark ? "Light colours" : "Dark colours"}
        >
          <Icon name={dark ? "sun" : "moon"} />
        </button>
        {me.value && (
          <a class="who" href="/settings/you" title="Your role and your password">
            {me.value.name} <span class="dim">{me.value.role}</span>
          </a>
        )}
        <button type="button" class="plain sign-out" onClick={() => void signOut()}>
          Sign out
        </button>
      </div>
    </header>
  );
}
