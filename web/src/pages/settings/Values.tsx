import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { AllValues } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { MapField } from "../../components/MapField";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { useRead } from "../../components/useRead";
import { queryValue, setQueryValue } from "../../lib/router";
import { nodes } from "../../state/store";

/** What `value.NAME` is in profiles for groups and for single nodes. */
export function ValuesPart() {
  const { value: all, error, reload } = useRead(api.values);
  // "nodes/ID" or "groups/TAG": in the address, so that it can be linked to.
  const of = queryValue("of");
  const [kind, key] = of.split("/") as [keyof AllValues, string?];
  const tags = [...new Set([...nodes.value.flatMap((n) => n.tags), ...Object.keys(all?.groups ?? {})])].sort();
  return (
    <section class="card">
      <h2>Values</h2>
      <p>
        What profiles call <code>{"{{ value.NAME }}"}</code>. A node's own value counts before that of its groups, which are its tags; then
        comes the profile's.
      </p>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {all && (
        <>
          <label class="field">
            <span>Values of</span>
            <select value={of} onChange={(e) => setQueryValue("of", e.currentTarget.value)}>
              <option value="">choose a group or a node</option>
              <optgroup label="Groups">
                {tags.map((tag) => (
                  <option value={`groups/${tag}`} key={tag}>
                    {tag}
                    {told(all.groups[tag])}
                  </option>
                ))}
              </optgroup>
              <optgroup label="Nodes">
                {nodes.value.map((n) => (
                  <option value={`nodes/${n.id}`} key={n.id}>
                    {n.name}
                    {told(all.nodes[n.id])}
                  </option>
                ))}
              </optgroup>
            </select>
          </label>
          {key !== undefined && Object.hasOwn(all, kind) && (
            <ValuesForm of={kind} id={key} kept={all[kind][key] ?? {}} onSaved={reload} key={of} />
          )}
        </>
      )}
    </section>
  );
}

/** ": seat, room" of those that have some. */
const told = (values: Record<string, string> | undefined) => (values === undefined ? "" : `: ${Object.keys(values).join(", ")}`);

function ValuesForm({
  of,
  id,
  kept,
  onSaved,
}: {
  of: keyof AllValues;
  id: string;
  kept: Record<string, string>;
  onSaved: () => Promise<void>;
}) {
  const [values, setValues] = useState(kept);
  const [saved, setSaved] = useState(false);
  const { busy, error, run } = useAction();
  const changed = JSON.stringify(values) !== JSON.stringify(kept);
  return (
    <form
      onSubmit={(e) => {
        e.preventDefault();
        void run(async () => {
          setValues(await api.putValues(of, id, values));
          await onSaved();
          setSaved(true);
        });
      }}
    >
      <MapField label="Values" values={values} onChange={setValues} />
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {saved && !changed && <Notice tone="good">Saved. It holds for what is installed from now on.</Notice>}
      <Allowed role="operator" what="Changing values">
        <button type="submit" class="primary" disabled={busy || !changed}>
          Save
        </button>
      </Allowed>
    </form>
  );
}
