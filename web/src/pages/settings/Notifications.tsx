import { useContext, useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NoticeKind, NotificationSettings, Notifications, Webhook } from "../../api/types";
import { EditingContext, ListField, Repeated, SecretField, TextField } from "../../components/fields";
import { Notice } from "../../components/Notice";
import { ShownOnce } from "../../components/ShownOnce";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { count } from "../../lib/format";
import { at, withAt } from "../../lib/places";

const kinds: readonly [NoticeKind, string][] = [
  ["job-ended", "a job has ended"],
  ["job-failing", "the first node of a job has failed"],
  ["new-board", "a new board has come"],
  ["backup-failed", "a backup could not be made"],
  ["alert-started", "something is wrong with a node"],
  ["alert-ended", "that is over"],
];

const mailTarget = "e-mail";

const emptyMail = { host: "", port: 587, security: "start-tls", from: "", to: [], events: ["job-failing"] } as const;

/** Who is told what happens, by webhook and e-mail. */
export function NotificationsPart() {
  const { value, error, reload } = useRead(api.notifications);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  return value ? <NotificationsForm known={value} onSaved={reload} /> : null;
}

function NotificationsForm({ known, onSaved }: { known: Notifications; onSaved: () => Promise<void> }) {
  const kept = known.settings;
  const [settings, setSettings] = useState(kept);
  const [made, setMade] = useState<Webhook[]>([]);
  const { busy, error, run } = useAction();
  // What was stored comes back without its secrets.
  useEffect(() => setSettings(kept), [kept]);
  const changed = settings !== kept;
  const set = (place: string, value: unknown) => setSettings((before) => withAt(before, place, value));

  async function save(): Promise<void> {
    const { settings: stored } = await api.setNotifications(sent(settings));
    setMade(stored.webhooks.filter((w) => w.secret !== undefined));
    await onSaved();
  }

  return (
    <EditingContext.Provider value={{ whole: settings, set, faults: [] }}>
      <form
        class="profile"
        aria-label="Notifications"
        onSubmit={(e) => {
          e.preventDefault();
          void run(save);
        }}
      >
        <section class="card">
          <h2>Webhooks</h2>
          <p>Programs that are told by HTTP POST, signed as Standard Webhooks says.</p>
          <Repeated place="webhooks" one="webhook" empty={{ name: "", url: "", events: ["job-failing"] }}>
            {(place) => (
              <>
                <div class="pair">
                  <TextField place={`${place}.name`} label="Name" placeholder="chat" />
                  <TextField place={`${place}.url`} label="Address" placeholder="https://chat.example.org/hooks/rack" />
                </div>
                <Events place={`${place}.events`} />
                <SecretField
                  place={`${place}.secret`}
                  label="Signing secret"
                  isSet={at(settings, `${place}.secretSet`) === true}
                  stays
                  placeholder="none: the appliance makes one"
                />
              </>
            )}
          </Repeated>
        </section>
        <section class="card">
          <h2>E-mail</h2>
          {settings.mail ? (
            <>
              <div class="pair">
                <TextField place="mail.host" label="Mail server" placeholder="mail.example.org" />
                <label class="field">
                  <span>Port</span>
                  <input
                    type="number"
                    min={1}
                    max={65535}
                    value={settings.mail.port}
                    onInput={(e) => set("mail.port", e.currentTarget.valueAsNumber)}
                  />
                </label>
                <label class="field">
                  <span>Security</span>
                  <select value={settings.mail.security} onChange={(e) => set("mail.security", e.currentTarget.value)}>
                    <option value="start-tls">STARTTLS</option>
                    <option value="tls">TLS</option>
                    <option value="none">none, for a server on this machine</option>
                  </select>
                </label>
              </div>
              <div class="pair">
                <TextField place="mail.from" label="Sender" placeholder="rack@example.org" />
                <ListField place="mail.to" label="Receivers" placeholder="ada@example.org" />
              </div>
              <div class="pair">
                <TextField place="mail.user" label="User, where the server asks for one" />
                <SecretField place="mail.password" label="Password" isSet={settings.mail.passwordSet === true} stays />
              </div>
              <Events place="mail.events" />
              <button type="button" class="small" onClick={() => set("mail", undefined)}>
                No e-mail any more
              </button>
            </>
          ) : (
            <button type="button" onClick={() => set("mail", emptyMail)}>
              Tell people by e-mail
            </button>
          )}
        </section>
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        {made.map((hook) => (
          <ShownOnce key={hook.name} secret={hook.secret!} onDone={() => setMade(made.filter((m) => m !== hook))}>
            {`The signing secret of ${hook.name}: its receiver checks with it that it was this appliance that wrote.`}
          </ShownOnce>
        ))}
        <button type="submit" class="primary" disabled={busy || !changed}>
          Save
        </button>
      </form>
      {!changed && <Targets known={known} />}
    </EditingContext.Provider>
  );
}

/** Without a user whose field was emptied. */
const sent = ({ webhooks, mail }: NotificationSettings): NotificationSettings => {
  const { user, ...rest } = mail ?? {};
  return { webhooks, ...(mail && { mail: { ...(rest as typeof mail), ...(user && { user }) } }) };
};

/** What is told. */
function Events({ place }: { place: string }) {
  const { whole, set } = useContext(EditingContext);
  const chosen = at(whole, place) as NoticeKind[];
  return (
    <fieldset aria-label="Told when">
      {kinds.map(([kind, words]) => (
        <label class="choice" key={kind}>
          <input
            type="checkbox"
            checked={chosen.includes(kind)}
            onChange={(e) =>
              set(
                place,
                kinds.map(([k]) => k).filter((k) => (k === kind ? e.currentTarget.checked : chosen.includes(k))),
              )
            }
          />
          <span>{words}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** Those who are told: whether it arrives, and a button that tries. */
function Targets({ known: { settings, waiting } }: { known: Notifications }) {
  const targets = [...settings.webhooks.map((w) => w.name), ...(settings.mail ? [mailTarget] : [])];
  const [arrived, setArrived] = useState("");
  const { busy, error, run } = useAction();
  if (targets.length === 0) return null;
  return (
    <section class="card" aria-label="Targets">
      <h2>Does it arrive?</h2>
      <ul class="leases">
        {targets.map((target) => {
          const state = waiting.find((w) => w.target === target);
          return (
            <li key={target}>
              <strong>{target}</strong>
              <span class={state && state.waiting > 0 ? "warn-text" : "dim"}>
                {state && state.waiting > 0
                  ? `${count(state.waiting, "notice")} not arrived yet${state.error === "" ? "" : `: ${state.error}`}`
                  : "nothing is waiting"}
              </span>
              <button
                type="button"
                class="small"
                disabled={busy}
                aria-label={`Send a test to ${target}`}
                onClick={() => {
                  setArrived("");
                  void run(async () => {
                    await api.testNotification(target);
                    setArrived(target);
                  });
                }}
              >
                Send a test
              </button>
            </li>
          );
        })}
      </ul>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {arrived !== "" && <Notice tone="good">It arrived at {arrived}.</Notice>}
    </section>
  );
}
