import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { useRead } from "../../components/useRead";
import { words } from "../../lib/packages";
import { WorkDialog, type WorkTargets } from "./WorkDialog";

/** Orders a shell line. */
export function RunDialog({ targets, onClose }: WorkTargets) {
  const [shell, setShell] = useState("");
  const [user, setUser] = useState("root");
  const [folder, setFolder] = useState("/");
  const [minutes, setMinutes] = useState(60);
  return (
    <WorkDialog
      kind="run"
      title="Run a command on"
      button="Run"
      ready={shell.trim() !== ""}
      targets={targets}
      parameters={() => ({ shell, user, folder, timeoutSeconds: Math.round(minutes * 60) })}
      onClose={onClose}
    >
      <label class="field">
        <span>Shell command</span>
        <textarea rows={3} required autoFocus spellcheck={false} value={shell} onInput={(e) => setShell(e.currentTarget.value)} />
      </label>
      <p class="dim">It is stored with the job and shown there: no passwords in it.</p>
      <label class="field">
        <span>User</span>
        <input type="text" required spellcheck={false} autoCapitalize="off" value={user} onInput={(e) => setUser(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Folder</span>
        <input type="text" required spellcheck={false} value={folder} onInput={(e) => setFolder(e.currentTarget.value)} />
      </label>
      <label class="field">
        <span>Timeout (minutes)</span>
        <input type="number" required min={1} max={1440} value={minutes} onInput={(e) => setMinutes(e.currentTarget.valueAsNumber)} />
      </label>
    </WorkDialog>
  );
}

/** Orders an update of all packages, or of some. */
export function UpdateDialog({ targets, onClose }: WorkTargets) {
  const [packages, setPackages] = useState("");
  return (
    <WorkDialog
      kind="update"
      title="Update packages on"
      button="Update"
      ready
      targets={targets}
      parameters={() => ({ packages: words(packages) })}
      onClose={onClose}
    >
      <p>
        Each node's own package manager fetches its lists and upgrades what is installed. Nothing restarts by itself; the job says where it
        is needed.
      </p>
      <label class="field">
        <span>Only these packages (none: all)</span>
        <input type="text" spellcheck={false} autoCapitalize="off" value={packages} onInput={(e) => setPackages(e.currentTarget.value)} />
      </label>
    </WorkDialog>
  );
}

/** Orders a benchmark. */
export function BenchmarkDialog({ targets, chosen = "sha256", onClose }: WorkTargets & { chosen?: string }) {
  const { value: kinds = [] } = useRead(api.benchmarks);
  const [benchmark, setBenchmark] = useState(chosen);
  const [allCores, setAllCores] = useState(false);
  return (
    <WorkDialog
      kind="benchmark"
      title="Measure"
      button="Measure"
      ready={benchmark !== ""}
      targets={targets}
      parameters={() => ({ benchmark, allCores })}
      onClose={onClose}
    >
      <p>
        Each node begins when it has been quiet for 30 seconds. What disturbs the measurement is named, and such a result does not count.
      </p>
      <label class="field">
        <span>Benchmark</span>
        <select value={benchmark} onChange={(e) => setBenchmark(e.currentTarget.value)}>
          {kinds.map((kind) => (
            <option value={kind.name} key={kind.name}>
              {kind.name}: {kind.words}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <input type="checkbox" checked={allCores} onChange={(e) => setAllCores(e.currentTarget.checked)} />
        On all cores at once
      </label>
    </WorkDialog>
  );
}
