import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Policy } from "../../api/types";
import { Notice } from "../../components/Notice";
import { ProfileSelect } from "../../components/ProfileSelect";
import { linesOf } from "../../lib/lines";
import { images, policy } from "../../state/store";
import { SettingsForm } from "./SettingsForm";

const architectures = [
  ["arm64", "arm64 boards (Raspberry Pi 3, 4, 5)"],
  ["amd64", "amd64 machines (PCs)"],
] as const;

/** What new boards get, and who may enter what is installed. */
export function BoardsPart() {
  const present = policy.value;
  return (
    present && (
      <>
        <NewBoards present={present} />
        <Keys present={present} />
      </>
    )
  );
}

function NewBoards({ present }: { present: Policy }) {
  const [chosen, setChosen] = useState<Record<string, string>>(present.installNewBoards);
  const choice = (architecture: string) => chosen[architecture] ?? "";
  const [profile, setProfile] = useState(present.profile ?? "");
  const [approves, setApproves] = useState(present.approveNewBoards);
  const [burnIn, setBurnIn] = useState<Policy["burnIn"] | "">(present.burnIn ?? "");
  const installs = architectures.some(([a]) => choice(a) !== "");
  const changed =
    architectures.some(([a]) => choice(a) !== (present.installNewBoards[a] ?? "")) ||
    profile !== (present.profile ?? "") ||
    approves !== present.approveNewBoards ||
    burnIn !== (present.burnIn ?? "");

  async function save(): Promise<void> {
    const installNewBoards = Object.fromEntries(Object.entries(chosen).filter(([, image]) => image !== ""));
    await api.setPolicy({
      ...present,
      installNewBoards,
      profile: profile === "" ? undefined : profile,
      approveNewBoards: approves,
      burnIn: burnIn === "" ? undefined : burnIn,
    });
  }

  return (
    <SettingsForm
      title="New boards"
      note="What happens to a board that was never seen before."
      changed={changed}
      done="Saved. It holds for boards that come from now on."
      danger={approves ? (installs ? "Save, and erase new boards" : "Save, and approve new boards") : undefined}
      onSave={save}
    >
      <label class="field">
        <span>Approval</span>
        <select value={approves ? "all" : "person"} onChange={(e) => setApproves(e.currentTarget.value === "all")}>
          <option value="person">you approve each board</option>
          <option value="all">approve all (isolated network)</option>
        </select>
      </label>
      {architectures.map(([architecture, title]) => (
        <label class="field" key={architecture}>
          <span>{title}</span>
          <select value={choice(architecture)} onChange={(e) => setChosen({ ...chosen, [architecture]: e.currentTarget.value })}>
            <option value="">install nothing by itself</option>
            {images.value
              .filter((i) => i.architecture === architecture)
              .map((i) => (
                <option value={i.digest} key={i.digest}>
                  install {i.name}
                </option>
              ))}
          </select>
        </label>
      ))}
      <ProfileSelect label="Customisation profile of what is installed" value={profile} onChange={setProfile} />
      <label class="field">
        <span>Burn-in once installed</span>
        <select value={burnIn} onChange={(e) => setBurnIn(e.currentTarget.value as typeof burnIn)}>
          <option value="">none</option>
          <option value="short">short (half an hour: card, memory, processors)</option>
          <option value="long">long (some hours)</option>
        </select>
      </label>
      {approves && (
        <Notice tone="warn">
          <strong>Every machine that reaches this network becomes a node, without a question.</strong>{" "}
          {installs &&
            `It is erased and installed when it boots from here, a colleague's laptop included${
              profile === "" ? "" : `, and gets the profile “${profile}” with its secrets`
            }. `}
          Whoever gets one cable into this network gets the same. Use it only where nothing but your boards can connect.
        </Notice>
      )}
      {installs && !approves && <p class="dim">A new board is erased and installed as soon as somebody has approved it.</p>}
    </SettingsForm>
  );
}

function Keys({ present }: { present: Policy }) {
  const [text, setText] = useState(present.authorizedKeys.join("\n"));
  const keys = linesOf(text);
  const changed = keys.join("\n") !== present.authorizedKeys.join("\n");

  async function save(): Promise<void> {
    await api.setPolicy({ ...present, authorizedKeys: keys });
  }

  return (
    <SettingsForm
      title="SSH keys"
      note="Who may sign in as root on systems that are installed from now on. One OpenSSH public key a line."
      changed={changed}
      done="Saved. Systems that are installed already keep the keys they have."
      onSave={save}
    >
      <label class="field">
        <span>Public keys</span>
        <textarea
          rows={Math.max(3, keys.length + 1)}
          spellcheck={false}
          placeholder="ssh-ed25519 AAAA… name"
          value={text}
          onInput={(e) => setText(e.currentTarget.value)}
        />
      </label>
    </SettingsForm>
  );
}
