import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView, Profile, ProfilePreview } from "../../api/types";
import { Facts } from "../../components/Facts";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";

interface Props {
  name: string;
  nodes: readonly NodeView[];
  /** One that is not stored yet. */
  profile?: Profile;
}

/** What one node would get by a profile: the reader chooses which. */
export function ProfilePreviewer({ name, nodes, profile }: Props) {
  const [chosen, setChosen] = useState("");
  const [preview, setPreview] = useState<ProfilePreview | null>(null);
  const { error, run } = useAction();
  const node = nodes.find((n) => n.id === chosen) ?? nodes[0];
  const text = JSON.stringify(profile);
  useEffect(
    () =>
      void run(async () => {
        setPreview(null);
        if (node) setPreview(await api.previewProfile(name, node.id, profile));
      }),
    [name, node?.id, text],
  );
  if (node === undefined) return <p class="dim">A preview is for a node, and there is none yet.</p>;
  return (
    <section class="preview" aria-label="Preview">
      <label class="field">
        <span>Preview for</span>
        <select value={node.id} onChange={(e) => setChosen(e.currentTarget.value)}>
          {nodes.map((n) => (
            <option value={n.id} key={n.id}>
              {n.name}
            </option>
          ))}
        </select>
      </label>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {preview && <Rendered preview={preview} />}
    </section>
  );
}

function Rendered({ preview: p }: { preview: ProfilePreview }) {
  const facts: [string, string][] = [
    ["Host name", p.hostName],
    ["Users", p.users.map((u) => (u.sudo ? `${u.name} (sudo)` : u.name)).join(", ")],
    ["Locale", p.locale],
    ["Keyboard", p.keyboard?.layout ?? ""],
    ["Time zone", p.timeZone],
    ["Wi-Fi", p.wifi?.ssid ?? ""],
    ["Addresses", p.networks.map((n) => `${n.interface} ${n.address}`).join(", ")],
    ["Packages", p.packages.join(" ")],
  ];
  const texts: [string, string][] = [
    ...p.files.map((f): [string, string] => [`${f.path}, ${f.owner}, ${f.mode}`, f.content]),
    ["First-boot script", p.firstBootScript],
    ["cloud-init", p.cloudInit],
  ];
  return (
    <>
      <Facts facts={facts.filter(([, value]) => value !== "")} />
      {texts
        .filter(([title, text]) => text !== "" || title.startsWith("/"))
        .map(([title, text]) => (
          <figure key={title}>
            <figcaption>{title}</figcaption>
            <pre tabIndex={0}>{text}</pre>
          </figure>
        ))}
    </>
  );
}
