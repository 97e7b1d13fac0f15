import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Facts } from "../../components/Facts";
import { Notice } from "../../components/Notice";
import { Tags } from "../../components/Tags";
import { useAction } from "../../components/useAction";
import { may } from "../../state/session";

/** What people say of the node: tags, location, note. */
export function LabelsPart({ node }: { node: NodeView }) {
  const [editing, setEditing] = useState(false);
  return (
    <section class="card" aria-label="Labels">
      <div class="card-head">
        <h2>Labels</h2>
        {!editing && may("operator") && (
          <button type="button" class="plain small" onClick={() => setEditing(true)}>
            Edit
          </button>
        )}
      </div>
      {editing ? (
        <LabelsForm node={node} onClose={() => setEditing(false)} />
      ) : (
        <Facts
          facts={[
            ["Tags", <Tags tags={node.tags} />],
            ["Location", node.location || <span class="dim">–</span>],
            ["Note", node.note === "" ? <span class="dim">–</span> : <span class="note">{node.note}</span>],
          ]}
        />
      )}
    </section>
  );
}

function LabelsForm({ node, onClose }: { node: NodeView; onClose: () => void }) {
  const [tags, setTags] = useState(node.tags.join(" "));
  const [location, setLocation] = useState(node.location);
  const [note, setNote] = useState(node.note);
  const { busy, error, run } = useAction();
  return (
    <form
      class="labels"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          await api.editNode(node.id, { tags: tags.split(/[\s,]+/).filter((t) => t !== ""), location, note });
          onClose();
        });
      }}
    >
      <label class="field">
        <span>Tags</span>
        <input
          type="text"
          value={tags}
          placeholder="rack-3 camera"
          ref={(input) => input?.focus()}
          onInput={(e) => setTags(e.currentTarget.value)}
        />
        <small class="dim">Separated by spaces; 1 to 32 of a-z, 0-9, - and _ each.</small>
      </label>
      <label class="field">
        <span>Location</span>
        <input
          type="text"
          value={location}
          placeholder="Room 12, shelf 2"
          maxLength={200}
          onInput={(e) => setLocation(e.currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>Note</span>
        <textarea rows={4} value={note} maxLength={4000} onInput={(e) => setNote(e.currentTarget.value)} />
      </label>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      <div class="button-row">
        <button type="submit" class="primary" disabled={busy}>
          Save
        </button>
        <button type="button" onClick={onClose}>
          Cancel
        </button>
      </div>
    </form>
  );
}
