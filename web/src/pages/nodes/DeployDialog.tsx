import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { FileView } from "../../api/types";
import { uploadFile } from "../../api/upload";
import { Notice } from "../../components/Notice";
import { Bar } from "../../components/Progress";
import { bytes, percent } from "../../lib/format";
import { WorkDialog, type WorkTargets } from "./WorkDialog";

const isArchive = (name: string) => /\.(tar|tar\.gz|tgz)$/.test(name);

/** Puts a file, or what is in an archive, on nodes. */
export function DeployDialog({ targets, onClose }: WorkTargets) {
  const [stored, setStored] = useState<FileView[]>([]);
  const [fault, setFault] = useState("");
  const [chosen, setChosen] = useState("");
  const [fresh, setFresh] = useState<File | null>(null);
  const [sent, setSent] = useState<number | null>(null);
  const [path, setPath] = useState("");
  const [unpack, setUnpack] = useState(false);
  const [owner, setOwner] = useState("root");
  const [group, setGroup] = useState("root");
  const [mode, setMode] = useState("0644");
  const [shell, setShell] = useState("");
  useEffect(() => void api.files().then(setStored, (e: Error) => setFault(e.message)), []);

  function chooseStored(digest: string): void {
    setChosen(digest);
    setFresh(null);
    setUnpack(isArchive(stored.find((f) => f.digest === digest)?.name ?? ""));
  }

  function chooseFresh(file: File | null): void {
    setFresh(file);
    setChosen("");
    setUnpack(isArchive(file?.name ?? ""));
  }

  async function parameters() {
    let file = chosen;
    if (fresh !== null) {
      setSent(0);
      try {
        // Stored once, however often it is ordered.
        file = (await uploadFile(fresh, setSent).done).digest;
      } finally {
        setSent(null);
      }
    }
    return { file, path: path.trim(), unpack, owner, group, ...(!unpack && { mode }), ...(shell.trim() !== "" && { shell }) };
  }

  return (
    <WorkDialog
      kind="deploy"
      title="Deploy files on"
      button={fresh === null ? "Deploy" : "Upload and deploy"}
      ready={(chosen !== "" || fresh !== null) && path.trim() !== ""}
      targets={targets}
      parameters={parameters}
      onClose={onClose}
    >
      {fault !== "" && <Notice tone="bad">{fault}</Notice>}
      <div class="pair">
        <label class="field">
          <span>A new file</span>
          <input type="file" key={chosen} onChange={(e) => chooseFresh(e.currentTarget.files?.[0] ?? null)} />
        </label>
        <label class="field">
          <span>or one that is here already</span>
          <select value={chosen} disabled={stored.length === 0} onChange={(e) => chooseStored(e.currentTarget.value)}>
            <option value="">{stored.length === 0 ? "none yet" : "choose a file"}</option>
            {stored.map((f) => (
              <option value={f.digest} key={f.digest}>
                {f.name}, {bytes(f.sizeBytes)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {fresh !== null && sent !== null && (
        <div class="measure-block">
          <Bar fraction={fresh.size > 0 ? sent / fresh.size : null} label="Upload" />
          <p>sending {percent(fresh.size > 0 ? sent / fresh.size : 0)}</p>
        </div>
      )}
      <label class="choice">
        <input type="checkbox" checked={unpack} onChange={(e) => setUnpack(e.currentTarget.checked)} />
        <span>Unpack it: it is an archive (.tar, .tar.gz)</span>
      </label>
      <label class="field">
        <span>{unpack ? "Folder on the nodes that it is unpacked in" : "Path on the nodes, with the file's name"}</span>
        <input
          type="text"
          required
          spellcheck={false}
          placeholder={unpack ? "/srv/site" : `/etc/${fresh?.name ?? "motd"}`}
          value={path}
          onInput={(e) => setPath(e.currentTarget.value)}
        />
      </label>
      <div class="pair">
        <label class="field">
          <span>Owner</span>
          <input
            type="text"
            required
            spellcheck={false}
            autoCapitalize="off"
            value={owner}
            onInput={(e) => setOwner(e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Group</span>
          <input
            type="text"
            required
            spellcheck={false}
            autoCapitalize="off"
            value={group}
            onInput={(e) => setGroup(e.currentTarget.value)}
          />
        </label>
        {!unpack && (
          <label class="field">
            <span>Mode, octal</span>
            <input type="text" required spellcheck={false} value={mode} onInput={(e) => setMode(e.currentTarget.value)} />
          </label>
        )}
      </div>
      <label class="field">
        <span>Shell command afterwards (optional)</span>
        <input
          type="text"
          spellcheck={false}
          autoCapitalize="off"
          placeholder="systemctl reload nginx"
          value={shell}
          onInput={(e) => setShell(e.currentTarget.value)}
        />
      </label>
    </WorkDialog>
  );
}
