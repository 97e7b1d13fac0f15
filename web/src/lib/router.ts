import { signal } from "@preact/signals";

/** Where the page is; follows the address bar. */
export const location = signal({ path: window.location.pathname, query: window.location.search });

function read(): void {
  location.value = { path: window.location.pathname, query: window.location.search };
}

window.addEventListener("popstate", read);

/** Goes to another page of ours. */
export function go(url: string, replace = false): void {
  history[replace ? "replaceState" : "pushState"](null, "", url);
  if (!replace) window.scrollTo(0, 0);
  read();
}

/** A parameter of the address. */
export function queryValue(name: string): string {
  return new URLSearchParams(location.value.query).get(name) ?? "";
}

/** The address's query with other parameters; empty ones go. */
export function changedQuery(values: Record<string, string>): string {
  const query = new URLSearchParams(location.value.query);
  for (const [name, value] of Object.entries(values)) {
    if (value === "") query.delete(name);
    else query.set(name, value);
  }
  return query.size === 0 ? "" : `?${query}`;
}

/** Changes parameters of the address without a step in the history. */
export const setQueryValues = (values: Record<string, string>) => go(location.value.path + changedQuery(values), true);

export const setQueryValue = (name: string, value: string) => setQueryValues({ [name]: value });

// Links of our own pages need no new document.
document.addEventListener("click", (e) => {
  const link = (e.target as Element).closest("a");
  if (link === null || e.defaultPrevented || e.button !== 0 || e.ctrlKey || e.metaKey || e.shiftKey || e.altKey) return;
  if (link.origin !== window.location.origin || link.target !== "" || link.hasAttribute("download") || link.hash !== "") return;
  if (link.pathname.startsWith("/api/")) return;
  e.preventDefault();
  go(link.pathname + link.search);
});
