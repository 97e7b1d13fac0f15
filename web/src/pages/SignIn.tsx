import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import { Notice } from "../components/Notice";
import { go } from "../lib/router";
import { checkSession, signedIn } from "../state/store";

export function hasSignInToken(): boolean {
  return window.location.pathname === "/sign-in" && window.location.hash.length > 1;
}

/** `/sign-in#token`, and what everybody sees who is not signed in. */
export function SignIn() {
  const [error, setError] = useState("");
  const [token] = useState(() => window.location.hash.slice(1));
  const [busy, setBusy] = useState(token !== "");

  useEffect(() => {
    if (token === "") return;
    // Out of the address bar and the history before anything else: whoever looks over the shoulder gets nothing.
    history.replaceState(null, "", "/sign-in");
    api.signIn(token).then(
      () => {
        signedIn.value = true;
        go("/nodes", true);
      },
      (e: Error) => {
        setError(e.message);
        setBusy(false);
        void checkSession();
      },
    );
  }, [token]);

  return (
    <main class="sign-in">
      <img src="/favicon.svg" alt="" width="48" height="48" />
      <h1>Bootstrap</h1>
      {busy ? (
        <p role="status">Signing in …</p>
      ) : (
        <>
          {error !== "" && <Notice tone="bad">{error}</Notice>}
          <p>This appliance has no passwords. A link that is good for one hour and one use signs this browser in.</p>
          <h2>Where to get a link</h2>
          <ul>
            <li>
              The appliance prints one when it starts: the line that begins with <code>ready</code>.
            </li>
            <li>
              At any time, from a terminal that is signed in: <code>bootstrap sign-in</code>
            </li>
          </ul>
        </>
      )}
    </main>
  );
}
