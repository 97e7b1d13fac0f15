import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { signOut } from "../../components/Header";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { roleHelp } from "../../lib/words";
import { me } from "../../state/session";
import { checkSession } from "../../state/store";

const shortestPassword = 10;

/** Who the reader is, and his password. */
export function YouPart() {
  const you = me.value;
  if (you === null) return null;
  return (
    <>
      <section class="card" aria-label="You">
        <div class="card-head">
          <h2>{you.name}</h2>
          <span class="badge">{you.role}</span>
          <button type="button" class="small end" onClick={() => void signOut()}>
            Sign out here
          </button>
        </div>
        <p>You may {roleHelp[you.role]}.</p>
      </section>
      <PasswordForm name={you.name} hasPassword={you.hasPassword} />
    </>
  );
}

function PasswordForm({ name, hasPassword }: { name: string; hasPassword: boolean }) {
  const [current, setCurrent] = useState("");
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const [saved, setSaved] = useState(false);
  const { busy, error, run } = useAction();
  const differs = again !== "" && again !== password;

  async function save(): Promise<void> {
    await api.setPassword(password, hasPassword ? current : undefined);
    await checkSession();
    for (const clear of [setCurrent, setPassword, setAgain]) clear("");
    setSaved(true);
  }

  return (
    <form
      class="card"
      onSubmit={(e) => {
        e.preventDefault();
        setSaved(false);
        void run(save);
      }}
    >
      <h2>{hasPassword ? "Change your password" : "Set a password"}</h2>
      <p>
        {hasPassword
          ? "All your other sessions end with it."
          : "So far you sign in by link alone. With a password you sign in by your name on any browser."}
      </p>
      <input type="text" hidden readOnly autoComplete="username" value={name} />
      {hasPassword && (
        <label class="field">
          <span>Current password</span>
          <input
            type="password"
            required
            autoComplete="current-password"
            value={current}
            onInput={(e) => setCurrent(e.currentTarget.value)}
          />
        </label>
      )}
      <label class="field">
        <span>New password, {shortestPassword} characters or more</span>
        <input
          type="password"
          required
          minLength={shortestPassword}
          autoComplete="new-password"
          value={password}
          onInput={(e) => setPassword(e.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Confirm password</span>
        <input type="password" required autoComplete="new-password" value={again} onInput={(e) => setAgain(e.currentTarget.value)} />
      </label>
      {differs && <p class="bad-text">The two passwords are not the same.</p>}
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {saved && <Notice tone="good">Saved. It holds from the next time you sign in.</Notice>}
      <button type="submit" class="primary" disabled={busy || password === "" || again !== password}>
        {hasPassword ? "Change password" : "Set password"}
      </button>
    </form>
  );
}
