import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Allowed } from "../../components/Allowed";
import { MarkBadge } from "../../components/Badge";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { dateTime } from "../../lib/format";
import { changeWords, markHelp, sourceWords } from "../../lib/words";

/** A board that nobody has seen since it came or changed, and the button that says otherwise. */
export function Unseen({ node }: { node: NodeView }) {
  const { busy, error, run } = useAction();
  if (node.mark === "none") return null;
  return (
    <section class="card unseen" aria-label="Unreviewed">
      <MarkBadge mark={node.mark} />
      <span>{markHelp[node.mark]}.</span>
      <Allowed role="operator">
        <button type="button" disabled={busy} onClick={() => void run(async () => void (await api.acknowledge(node.id)))}>
          Acknowledge
        </button>
      </Allowed>
      {error !== "" && <span class="bad-text">{error}</span>}
    </section>
  );
}

const shownAtFirst = 10;

/** What has changed of the node: when, from what, to what, and who told. */
export function ChangesPart({ node }: { node: NodeView }) {
  const [all, setAll] = useState(false);
  // A heartbeat brings a new object every few seconds; the history is read again when what it tells of is another.
  const state = JSON.stringify([node.inventory, node.version, node.address, node.name, node.tags, node.location, node.mark]);
  const { value: changes, error } = useRead(() => api.nodeChanges(node.id), [node.id, state]);

  const shown = all ? changes : changes?.slice(0, shownAtFirst);
  return (
    <section class="card" aria-label="Changes">
      <h2>Changes</h2>
      {error !== "" && (
        <p class="bad-text" role="alert">
          {error}
        </p>
      )}
      {shown === undefined ? (
        error === "" && <p class="dim">Reading …</p>
      ) : shown.length === 0 ? (
        <p class="dim">Nothing has changed since this board was first seen.</p>
      ) : (
        <ul class="changes">
          {shown.map((c) => (
            <li key={c.id} class={c.notable && c.at > (node.acknowledgedAt ?? 0) ? "fresh" : undefined}>
              <span class="dim" title={dateTime(c.at)}>
                <Ago at={c.at} />
              </span>
              <strong>{changeWords[c.field] ?? c.field}</strong>
              <span class="what">
                <del>{c.old || "none"}</del> → {c.new || "none"}
              </span>
              <span class="dim">{sourceWords[c.source]}</span>
            </li>
          ))}
        </ul>
      )}
      {changes !== undefined && !all && changes.length > shownAtFirst && (
        <button type="button" class="plain" onClick={() => setAll(true)}>
          Show all {changes.length}
        </button>
      )}
    </section>
  );
}
