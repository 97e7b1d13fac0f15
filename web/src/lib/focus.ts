/**
 * What has the focus can go, or stop being usable, with what it was about: a task that ends takes its button along. Then the page itself
 * has the focus, and not
 * nothing, from which a keyboard would begin at the very top.
 */
export function holdFocus(): void {
  let last: Element | null = null;
  document.addEventListener("focusin", (e) => (last = e.target as Element));
  new MutationObserver(() => {
    if (last === null || document.activeElement !== document.body || (last.isConnected && !last.matches(":disabled"))) return;
    last = null;
    document.querySelector("main")?.focus({ preventScroll: true });
  }).observe(document.body, { childList: true, subtree: true, attributeFilter: ["disabled"] });
}
