import { effect, signal } from "@preact/signals";
import { emptyInstall, type InstallDraft } from "../lib/install";
import { go } from "../lib/router";

const key = "install";

/** The installation that is being put together. It lives as long as the browser's tab: reloading and going back lose nothing. */
export const installDraft = signal<InstallDraft>(read());

effect(() => sessionStorage.setItem(key, JSON.stringify(installDraft.value)));

function read(): InstallDraft {
  try {
    return { ...emptyInstall, ...(JSON.parse(sessionStorage.getItem(key) ?? "{}") as Partial<InstallDraft>) };
  } catch {
    return emptyInstall; // not ours
  }
}

/**
 * Begins a new one.
 * @param replace In the place of the page that is shown, so that going back does not begin it again.
 */
export function startInstall(choice: Pick<InstallDraft, "picked"> | Pick<InstallDraft, "select">, replace = false): void {
  installDraft.value = { ...emptyInstall, ...choice };
  go("/install", replace);
}
