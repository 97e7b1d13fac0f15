import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";

/** The node's name, and the field that changes it. */
export function NodeName({ node }: { node: NodeView }) {
  const [name, setName] = useState<string | null>(null);
  const { busy, error, run } = useAction();
  if (name === null) {
    return (
      <>
        <h1>{node.name}</h1>
        <Allowed role="operator">
          <button type="button" class="plain small" onClick={() => setName(node.name)}>
            Rename
          </button>
        </Allowed>
      </>
    );
  }
  return (
    <form
      class="rename"
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          await api.editNode(node.id, { name });
          setName(null);
        });
      }}
    >
      <input
        type="text"
        aria-label="Name"
        value={name}
        maxLength={63}
        ref={(input) => input?.focus()}
        onInput={(e) => setName(e.currentTarget.value)}
        onKeyDown={(e) => e.key === "Escape" && setName(null)}
      />
      <button type="submit" class="primary" disabled={busy}>
        Rename
      </button>
      <button type="button" onClick={() => setName(null)}>
        Cancel
      </button>
      <span class="dim">An installed system gets its new host name with its next installation.</span>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
    </form>
  );
}
