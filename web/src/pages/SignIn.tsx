import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { CaFingerprint } from "../components/CaFingerprint";
import { Notice } from "../components/Notice";
import { useAction } from "../components/useAction";
import { go } from "../lib/router";
import { checkSession } from "../state/store";

export function hasSignInToken(): boolean {
  return window.location.pathname === "/sign-in" && window.location.hash.length > 1;
}

/** `/sign-in#token`, and what everybody sees who is not signed in. */
export function SignIn() {
  const [token] = useState(() => window.location.hash.slice(1));
  const [entering, setEntering] = useState(token !== "");
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { busy, error, run } = useAction();

  useEffect(() => {
    if (token === "") return;
    // Out of the address bar and the history before anything else: whoever looks over the shoulder gets nothing.
    history.replaceState(null, "", "/sign-in");
    void run(async () => {
      try {
        await api.signIn({ token });
        go("/nodes", true);
      } finally {
        await checkSession();
        setEntering(false);
      }
    });
  }, [token]);

  async function enter(): Promise<void> {
    await api.signIn({ name: name.trim(), password });
    await checkSession(); // the page that was asked for is shown
  }

  return (
    <main class="sign-in">
      <img src="/favicon.svg" alt="" width="48" height="48" />
      <h1>Bootstrap</h1>
      {entering ? (
        <p role="status">Signing in …</p>
      ) : (
        <>
          {error !== "" && <Notice tone="bad">{error}</Notice>}
          <form
            onSubmit={(e) => {
              e.preventDefault();
              void run(enter);
            }}
          >
            <label class="field">
              <span>Name</span>
              <input
                type="text"
                required
                autoFocus
                autoComplete="username"
                autoCapitalize="off"
                spellcheck={false}
                value={name}
                onInput={(e) => setName(e.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span>Password</span>
              <input
                type="password"
                required
                autoComplete="current-password"
                value={password}
                onInput={(e) => setPassword(e.currentTarget.value)}
              />
            </label>
            <button type="submit" class="primary" disabled={busy}>
              Sign in
            </button>
          </form>
          <h2>Without a password, by a link</h2>
          <p>A link is good once. There is no password before you choose one, under Settings.</p>
          <ul>
            <li>
              The appliance makes one when it starts: it prints it to a terminal, and writes it to <code>sign-in-link</code> in its data
              folder.
            </li>
            <li>
              At any time, from a terminal that is signed in: <code>bootstrap sign-in</code>
            </li>
            <li>An administrator makes one for you, under Settings, Users.</li>
          </ul>
          <CaFingerprint />
        </>
      )}
    </main>
  );
}
