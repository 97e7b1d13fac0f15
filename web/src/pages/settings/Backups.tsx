import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Backups, BackupView } from "../../api/types";
import { Until } from "../../components/Ago";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { Notice } from "../../components/Notice";
import { type Column, Table } from "../../components/Table";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { bytes, dateTime, zonedTime } from "../../lib/format";
import { SettingsForm } from "./SettingsForm";

const lookPeriod = 1000;

const sealed =
  "A backup is one file, sealed by a passphrase: nodes with their keys, users, jobs, profiles and their secrets, boot files, and images if " +
  "you like. Restored on another machine, it is the same appliance.";

/** Copies of all that the appliance keeps: made by themselves or now, fetched and removed. */
export function BackupsPart() {
  const { value: present, error, reload } = useRead(api.backups);
  // While one is made it is looked again and again whether it is done.
  useEffect(() => {
    if (present?.running !== true) return;
    const timer = setTimeout(() => void reload(), lookPeriod);
    return () => clearTimeout(timer);
  }, [present]);
  return (
    <>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {present && (
        <>
          <Plan present={present} onSaved={reload} />
          <Kept present={present} reload={reload} />
        </>
      )}
    </>
  );
}

function Plan({ present: { plan, next }, onSaved }: { present: Backups; onSaved: () => Promise<void> }) {
  const [cron, setCron] = useState(plan.cron ?? "");
  const [zone, setZone] = useState(plan.cron === undefined ? Intl.DateTimeFormat().resolvedOptions().timeZone : plan.zone);
  const [keep, setKeep] = useState(String(plan.keep));
  const [images, setImages] = useState(plan.images);
  const [passphrase, setPassphrase] = useState("");
  const changed =
    cron.trim() !== (plan.cron ?? "") ||
    (cron !== "" && zone !== plan.zone) ||
    keep !== String(plan.keep) ||
    images !== plan.images ||
    passphrase !== "";

  async function save(): Promise<void> {
    const schedule = cron.trim() === "" ? {} : { cron: cron.trim() };
    await api.setBackups({ ...schedule, zone, keep: Number(keep), images, ...(passphrase !== "" && { passphrase }) });
    setPassphrase("");
    await onSaved();
  }

  return (
    <SettingsForm title="Backups" note={sealed} changed={changed} done="Saved." onSave={save}>
      <div class="pair">
        <label class="field">
          <span>Schedule (cron; empty: only by hand)</span>
          <input
            type="text"
            placeholder="0 3 * * *"
            autoComplete="off"
            spellcheck={false}
            value={cron}
            onInput={(e) => setCron(e.currentTarget.value)}
          />
        </label>
        <label class="field">
          <span>Time zone</span>
          <input type="text" autoComplete="off" spellcheck={false} value={zone} onInput={(e) => setZone(e.currentTarget.value)} />
        </label>
        <label class="field">
          <span>Backups to keep</span>
          <input type="number" min={1} max={1000} required value={keep} onInput={(e) => setKeep(e.currentTarget.value)} />
        </label>
      </div>
      {next !== undefined && (
        <p class="dim">
          Next backup <Until at={next} />, {zonedTime(next, plan.zone)}.
        </p>
      )}
      <label class="choice">
        <input type="checkbox" checked={images} onChange={(e) => setImages(e.currentTarget.checked)} />
        <span>Include the images; without them, they must be imported again after a restore</span>
      </label>
      <label class="field">
        <span>Passphrase</span>
        <input
          type="password"
          autoComplete="new-password"
          minLength={12}
          placeholder={plan.passphraseSet === true ? "set; empty keeps it" : "12 characters or more"}
          value={passphrase}
          onInput={(e) => setPassphrase(e.currentTarget.value)}
        />
      </label>
      <p class="dim">Keep the passphrase somewhere else, too: without it nobody can open a backup.</p>
    </SettingsForm>
  );
}

function Kept({ present, reload }: { present: Backups; reload: () => Promise<void> }) {
  const { plan, folder, backups, running, last } = present;
  const [asked, setAsked] = useState(false);
  const [removing, setRemoving] = useState<BackupView | null>(null);
  const columns = useMemo(() => columnsOf(setRemoving), []);
  const { busy, error, run } = useAction();
  // It begins within a second.
  useEffect(() => {
    if (!asked) return;
    const timer = setTimeout(() => {
      setAsked(false);
      void reload();
    }, lookPeriod);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <section class="card" aria-label="Kept backups">
      <h2>Kept backups</h2>
      <p class="dim">In {folder} on the appliance.</p>
      {last && last.error !== "" && (
        <Notice tone="bad">
          The last backup failed, {dateTime(last.at)}: {last.error}.
        </Notice>
      )}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {backups.length === 0 ? (
        <p class="dim">There are none yet.</p>
      ) : (
        <Table label="Backups" columns={columns} rows={backups} keyOf={(b) => b.name} />
      )}
      <button
        type="button"
        disabled={busy || running || asked || plan.passphraseSet !== true}
        onClick={() =>
          void run(async () => {
            await api.makeBackup();
            setAsked(true);
          })
        }
      >
        {running || asked ? "Backing up …" : "Back up now"}
      </button>
      {plan.passphraseSet !== true && <p class="dim">Set a passphrase first.</p>}
      {removing && (
        <ConfirmDialog
          title={`Remove the backup of ${dateTime(removing.madeAt)}?`}
          keep="Keep it"
          confirm="Remove"
          onConfirm={async () => {
            await api.removeBackup(removing.name);
            await reload();
          }}
          onClose={() => setRemoving(null)}
        >
          <p>{removing.name} is deleted from the appliance.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

const columnsOf = (remove: (backup: BackupView) => void): readonly Column<BackupView>[] => [
  { id: "made", title: "Made", width: "minmax(10rem, 1fr)", cell: (b) => <strong title={b.name}>{dateTime(b.madeAt)}</strong> },
  { id: "size", title: "Size", width: "6rem", cell: (b) => bytes(b.sizeBytes) },
  { id: "images", title: "Images", width: "5rem", cell: (b) => (b.images ? "yes" : <span class="dim">no</span>) },
  {
    id: "do",
    title: "",
    width: "13rem",
    align: "end",
    cell: (b) => (
      <div class="button-row end">
        <a href={`/api/v1/backups/${encodeURIComponent(b.name)}`} download={b.name}>
          Download
        </a>
        <button type="button" class="small" aria-label={`Remove ${b.name}`} onClick={() => remove(b)}>
          Remove …
        </button>
      </div>
    ),
  },
];
