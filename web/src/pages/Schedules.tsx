import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { ScheduleView } from "../api/types";
import { Ago, Until } from "../components/Ago";
import { Allowed } from "../components/Allowed";
import { ConfirmDialog } from "../components/ConfirmDialog";
import { Empty, Notice } from "../components/Notice";
import { type Column, Table } from "../components/Table";
import { useAction } from "../components/useAction";
import { count, zonedTime } from "../lib/format";
import { go } from "../lib/router";
import { jobWords } from "../lib/schedule";
import { schedules } from "../state/store";
import { AddSchedule } from "./schedules/AddSchedule";
import { Calendar } from "./schedules/Calendar";

interface Doing {
  what: "run" | "remove";
  schedule: ScheduleView;
}

export function SchedulesPage() {
  const [adding, setAdding] = useState(false);
  const [doing, setDoing] = useState<Doing | null>(null);
  const { error, run } = useAction();
  const [columns] = useState(() =>
    scheduleColumns(setDoing, (s) => void run(async () => void (await api.switchSchedule(s.name, !s.enabled)))),
  );
  const all = schedules.value;
  return (
    <>
      <div class="page-head">
        <h1>Schedules</h1>
        {all.length > 0 && <span class="dim">{count(all.length, "schedule")}</span>}
        <Allowed role="operator">
          <span class="end">
            <button type="button" class="primary" onClick={() => setAdding(true)}>
              Add a schedule …
            </button>
          </span>
        </Allowed>
      </div>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {all.length === 0 ? (
        <Empty title="No schedules yet">
          <p>
            A schedule gives the same order again and again: reboot the cameras every Sunday at three, install the classroom afresh on the
            first of the month. Its nodes are chosen by words, which are looked up at each run, so that a board which joins later is taken
            along.
          </p>
          <p>
            Each run is a <a href="/jobs">job</a> of its own. The same from a terminal:{" "}
            <code>bootstrap schedules add weekly --cron '0 3 * * SUN' --kind reboot --select tag=camera</code>
          </p>
        </Empty>
      ) : (
        <>
          <Table label="Schedules" columns={columns} rows={all} keyOf={(s) => s.name} />
          <Calendar />
        </>
      )}
      {adding && <AddSchedule onClose={() => setAdding(false)} />}
      {doing && <DoDialog {...doing} onClose={() => setDoing(null)} />}
    </>
  );
}

const scheduleColumns = (start: (doing: Doing) => void, toggle: (schedule: ScheduleView) => void): readonly Column<ScheduleView>[] => [
  { id: "name", title: "Name", width: "minmax(8rem, 1fr)", cell: (s) => <strong>{s.name}</strong> },
  { id: "job", title: "What", width: "minmax(9rem, 1.5fr)", cell: (s) => jobWords(s.job) },
  {
    id: "next",
    title: "Next run",
    width: "minmax(23.5rem, 2fr)",
    cell: (s) =>
      s.next === undefined ? (
        <span class="dim">{s.enabled ? "never" : "switched off"}</span>
      ) : (
        <span title={zonedTime(s.next, s.zone)}>
          <Until at={s.next} /> <span class="dim">({zonedTime(s.next, s.zone)})</span>
        </span>
      ),
  },
  {
    id: "cron",
    title: "Line",
    width: "minmax(11rem, 1fr)",
    minor: true,
    cell: (s) => (
      <span>
        <code>{s.cron}</code> <span class="dim">{[s.zone, s.window && `from ${s.window.start}`].filter(Boolean).join(", ")}</span>
      </span>
    ),
  },
  {
    id: "last",
    title: "Last run",
    width: "8rem",
    cell: (s) =>
      s.lastJob === undefined || s.lastAt === undefined ? (
        <span class="dim">none yet</span>
      ) : (
        <a href={`/jobs/${s.lastJob}`}>
          <Ago at={s.lastAt} />
        </a>
      ),
  },
  {
    id: "do",
    title: "",
    width: "17rem",
    align: "end",
    cell: (s) => (
      <Allowed role="operator">
        <button type="button" class="small" aria-label={`Run now: ${s.name}`} onClick={() => start({ what: "run", schedule: s })}>
          Run now …
        </button>
        <button type="button" class="small" aria-label={`${s.enabled ? "Disable" : "Enable"} ${s.name}`} onClick={() => toggle(s)}>
          {s.enabled ? "Disable" : "Enable"}
        </button>
        <button type="button" class="small" aria-label={`Delete ${s.name}`} onClick={() => start({ what: "remove", schedule: s })}>
          Delete …
        </button>
      </Allowed>
    ),
  },
];

function DoDialog({ what, schedule, onClose }: Doing & { onClose: () => void }) {
  async function confirm(): Promise<void> {
    if (what === "remove") await api.removeSchedule(schedule.name);
    else go(`/jobs/${(await api.runSchedule(schedule.name)).job.id}`);
  }

  return (
    <ConfirmDialog
      title={what === "run" ? `Run ${schedule.name} now?` : `Delete schedule ${schedule.name}?`}
      keep={what === "run" ? "Leave it to its time" : "Keep it"}
      confirm={what === "run" ? "Run now" : "Delete"}
      onConfirm={confirm}
      onClose={onClose}
    >
      <p>{jobWords(schedule.job)}.</p>
      <p>
        {what === "remove"
          ? "It makes no more jobs. Those that it made go on."
          : "It begins at once, whatever its maintenance window says."}
        {what === "run" && schedule.job.kind === "install" && " Everything on the disks of these nodes is lost."}
      </p>
    </ConfirmDialog>
  );
}
