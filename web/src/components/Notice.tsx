import type { ComponentChildren } from "preact";
import { Icon } from "./Icon";

/** A sentence that must not be missed. Errors of the API are shown as they are. */
export function Notice({ tone, children }: { tone: "bad" | "warn" | "good"; children: ComponentChildren }) {
  return (
    <div class={`notice ${tone}`} role={tone === "bad" ? "alert" : "status"}>
      <Icon name={tone === "good" ? "ok" : "warn"} />
      <div>{children}</div>
    </div>
  );
}

/** What stands where there is nothing yet: it says what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {children}
    </section>
  );
}
