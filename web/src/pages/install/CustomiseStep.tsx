import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Profile, ProfileFit } from "../../api/types";
import { Choice } from "../../components/Choice";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { count } from "../../lib/format";
import { partsOf } from "../../lib/profile";
import { ProfilePreviewer } from "../profiles/Preview";
import { LeftOut, type StepProps } from "./NodesStep";
import type { useFit } from "./useFit";

/** What makes each system its node's own: a profile, looked at for every node before anything is ordered. */
export function CustomiseStep({ draft, set, plan, fit }: StepProps & { fit: ReturnType<typeof useFit> }) {
  const [profiles, setProfiles] = useState<Profile[] | null>(null);
  const { error, run } = useAction();
  useEffect(() => void run(async () => setProfiles(await api.profiles())), []);
  const choose = (profile: string) => set({ profile });
  return (
    <>
      <fieldset aria-label="User data">
        <Choice name="update" title="Erase everything" checked={!draft.update} onChoose={() => set({ update: false })}>
          Erases the whole disk.
        </Choice>
        <Choice name="update" title="Keep user data" checked={draft.update} onChoose={() => set({ update: true })}>
          Home folders, SSH host keys and the machine's id are kept, or what the profile says. All else is replaced by the image.
        </Choice>
      </fieldset>
      {!draft.update && (
        <label class="choice">
          <input type="checkbox" checked={draft.testCard} onChange={(e) => set({ testCard: e.currentTarget.checked })} />
          <span>
            Test the cards before <small class="dim">All of each disk is written and read back: 20 min or more for 32 GB.</small>
          </span>
        </label>
      )}
      <LeftOut plan={plan} />
      <fieldset aria-label="Profile">
        <Choice name="profile" title="No profile" checked={draft.profile === ""} onChoose={() => choose("")}>
          Each system gets its node's name and your SSH keys, and is otherwise as the image is.
        </Choice>
        {profiles?.map((p) => (
          <Choice
            name="profile"
            key={p.name}
            title={<strong>{p.name}</strong>}
            checked={draft.profile === p.name}
            onChoose={() => choose(p.name)}
          >
            {p.description || partsOf(p)}
          </Choice>
        ))}
      </fieldset>
      {profiles?.length === 0 && (
        <p class="dim">
          There are no profiles yet. <a href="/settings/profiles">Make one</a> for users, Wi-Fi, packages or files; what you chose here
          stays.
        </p>
      )}
      {[error, fit.error].map(
        (e) =>
          e !== "" && (
            <Notice tone="bad" key={e}>
              {e}
            </Notice>
          ),
      )}
      {draft.profile !== "" &&
        fit.known &&
        fit.error === "" &&
        (fit.faulty.length === 0 ? (
          <Notice tone="good">It fits {plan.taken.length === 1 ? plan.taken[0]!.name : `all ${plan.taken.length} nodes`}.</Notice>
        ) : (
          <Notice tone="bad">
            It does not fit {fit.faulty.length} of {count(plan.taken.length, "node")}:
            <ul class="plain-list">
              {byReason(fit.faulty).map(([reason, names]) => (
                <li key={reason}>
                  {reason}: {names.join(", ")}
                </li>
              ))}
            </ul>
            <p>
              <a href="/settings/values">Give the values</a> or <a href={`/settings/profiles/${draft.profile}`}>change the profile</a>; what
              you chose here stays.
            </p>
          </Notice>
        ))}
      {draft.profile !== "" && plan.taken.length > 0 && <ProfilePreviewer name={draft.profile} nodes={plan.taken} key={draft.profile} />}
    </>
  );
}

/** Nodes that a profile fits for the same reason not. */
function byReason(faulty: readonly ProfileFit[]): [string, string[]][] {
  const reasons = new Map<string, string[]>();
  for (const { nodeName, faults } of faulty) {
    for (const { place, reason } of faults) reasons.set(`${place}: ${reason}`, [...(reasons.get(`${place}: ${reason}`) ?? []), nodeName]);
  }
  return [...reasons];
}
