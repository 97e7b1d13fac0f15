import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobKind } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { ProfileSelect } from "../../components/ProfileSelect";
import { useAction } from "../../components/useAction";
import { confirmed } from "../../lib/confirm";
import { filterFault, nodeFilter } from "../../lib/filter";
import { count } from "../../lib/format";
import { type Draft, emptyDraft, scheduleOf } from "../../lib/schedule";
import { kindWords } from "../../lib/words";
import { images, nodes } from "../../state/store";
import { NextRuns } from "./NextRuns";

const kinds: readonly JobKind[] = ["reboot", "update", "firmware", "shutdown", "install"];

const zones = Intl.supportedValuesOf("timeZone");

/** So many names are shown of those that the words take. */
const shownNames = 12;

/** A form for one schedule, which shows when it will run and which nodes it would take now. */
export function AddSchedule({ onClose }: { onClose: () => void }) {
  const [draft, setDraft] = useState<Draft>(emptyDraft);
  const [typed, setTyped] = useState("");
  const { busy, error, run } = useAction();
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const installs = draft.kind === "install";
  const whole = draft.name !== "" && draft.select.trim() !== "" && (!installs || (draft.image !== "" && confirmed(typed, draft.name)));

  async function add(): Promise<void> {
    await api.addSchedule(scheduleOf(draft));
    onClose();
  }

  return (
    <Dialog title="Add a schedule" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run(add);
        }}
      >
        <label class="field">
          <span>Name</span>
          <input
            value={draft.name}
            placeholder="weekly-reboot"
            autoComplete="off"
            spellcheck={false}
            onInput={(e) => set({ name: e.currentTarget.value })}
          />
        </label>
        <div class="pair">
          <label class="field">
            <span>Cron line: minute, hour, day, month, weekday</span>
            <input value={draft.cron} list="cron-lines" spellcheck={false} onInput={(e) => set({ cron: e.currentTarget.value })} />
          </label>
          <label class="field">
            <span>Time zone</span>
            <input value={draft.zone} list="zones" spellcheck={false} onInput={(e) => set({ zone: e.currentTarget.value })} />
          </label>
        </div>
        <datalist id="cron-lines">
          <option value="0 3 * * *">every night at 3:00</option>
          <option value="0 3 * * SUN">every Sunday at 3:00</option>
          <option value="0 3 1 * *">on the first of each month at 3:00</option>
          <option value="0 20 * * MON-FRI">on working days at 20:00</option>
        </datalist>
        <datalist id="zones">
          {zones.map((zone) => (
            <option value={zone} key={zone} />
          ))}
        </datalist>
        <NextRuns cron={draft.cron} zone={draft.zone} />
        <div class="pair">
          <label class="field">
            <span>What is done</span>
            <select value={draft.kind} onChange={(e) => set({ kind: e.currentTarget.value as JobKind })}>
              {kinds.map((kind) => (
                <option value={kind} key={kind}>
                  {kindWords[kind]}
                </option>
              ))}
            </select>
          </label>
          {installs && (
            <label class="field">
              <span>Image</span>
              <select value={draft.image} onChange={(e) => set({ image: e.currentTarget.value })}>
                <option value="">choose an image</option>
                {[...new Set(images.value.map((i) => i.name))].map((name) => (
                  <option value={name} key={name}>
                    {name}
                  </option>
                ))}
              </select>
            </label>
          )}
        </div>
        {installs && (
          <div class="pair">
            <ProfileSelect label="Profile" value={draft.profile} onChange={(profile) => set({ profile })} />
            <label class="field">
              <span>User data</span>
              <select value={draft.update ? "keep" : "erase"} onChange={(e) => set({ update: e.currentTarget.value === "keep" })}>
                <option value="erase">erased</option>
                <option value="keep">kept, as the profile says, or home folders and identity</option>
              </select>
            </label>
          </div>
        )}
        <label class="field">
          <span>Node selector, e.g. tag=camera, or all</span>
          <input
            value={draft.select}
            placeholder="tag=camera -state:offline"
            spellcheck={false}
            onInput={(e) => set({ select: e.currentTarget.value })}
          />
        </label>
        <Taken select={draft.select} />
        <details>
          <summary>Roll-out, maintenance window, missed runs</summary>
          <div class="pair">
            <label class="field">
              <span>Canary nodes</span>
              <input type="number" min="0" value={draft.canary} onInput={(e) => set({ canary: e.currentTarget.value })} />
            </label>
            <label class="field">
              <span>Then at a time</span>
              <input type="number" min="1" value={draft.batch} onInput={(e) => set({ batch: e.currentTarget.value })} />
            </label>
            <label class="field">
              <span>Stop after N failures</span>
              <input value={draft.stopAfter} placeholder="3 or 10%" onInput={(e) => set({ stopAfter: e.currentTarget.value })} />
            </label>
          </div>
          <div class="pair">
            <label class="field">
              <span>Window opens</span>
              <input type="time" value={draft.windowStart} onInput={(e) => set({ windowStart: e.currentTarget.value })} />
            </label>
            <label class="field">
              <span>Open for (minutes)</span>
              <input
                type="number"
                min="1"
                max="1440"
                value={draft.windowMinutes}
                onInput={(e) => set({ windowMinutes: e.currentTarget.value })}
              />
            </label>
            <label class="field">
              <span>Missed runs</span>
              <select value={draft.missed} onChange={(e) => set({ missed: e.currentTarget.value as Draft["missed"] })}>
                <option value="skip">skip</option>
                <option value="run-once">run once, late</option>
              </select>
            </label>
          </div>
        </details>
        {installs && (
          <>
            <Notice tone="warn">
              <strong>
                Each run erases the disks of all nodes that match by then{draft.update && ", but for what is kept"}, without asking.
              </strong>
            </Notice>
            <label class="field">
              <span>
                To confirm, type the schedule's name <strong class="type-this">{draft.name}</strong>
              </span>
              <input
                value={typed}
                autoComplete="off"
                spellcheck={false}
                aria-label="Type the schedule's name to confirm"
                onInput={(e) => setTyped(e.currentTarget.value)}
              />
            </label>
          </>
        )}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class={installs ? "danger" : "primary"} disabled={busy || !whole}>
            {installs ? "Add, and erase at each run" : "Add"}
          </button>
        </footer>
      </form>
    </Dialog>
  );
}

/** Which nodes the words take at this moment. */
function Taken({ select }: { select: string }) {
  const words = select.trim();
  if (words === "") return <p class="dim">Say which nodes: nothing is done on all of them by accident.</p>;
  const fault = filterFault(words);
  if (fault !== "")
    return (
      <p class="bad-text" role="alert">
        {fault}
      </p>
    );
  const taken = nodes.value.filter(nodeFilter(words));
  if (taken.length === 0)
    return (
      <p class="warn-text" role="status">
        No node is taken now. Those that are there by then will be.
      </p>
    );
  const more = taken.length - shownNames;
  return (
    <p role="status">
      Now {count(taken.length, "node")}:{" "}
      <span class="names">
        {taken
          .slice(0, shownNames)
          .map((n) => n.name)
          .join(", ")}
        {more > 0 && ` and ${more} more`}
      </span>
    </p>
  );
}
