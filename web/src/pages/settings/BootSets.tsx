import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { BootSets } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { may } from "../../state/session";
import { images } from "../../state/store";

const models = [
  ["all", "All boards"],
  ["pi3", "Raspberry Pi 3"],
  ["pi4", "Raspberry Pi 4"],
  ["pi5", "Raspberry Pi 5"],
] as const;

/** What boards start NetInst with: the kernel and firmware that came with the program, or those of an image. */
export function BootSetsCard() {
  const [present, setPresent] = useState<BootSets>();
  const [image, setImage] = useState("");
  const [name, setName] = useState("");
  const { busy, error, run } = useAction();
  const reload = async () => setPresent(await api.bootSets());
  useEffect(() => void run(reload), []);

  return (
    <section class="card">
      <h2>Boot sets</h2>
      <p>
        Boards start from the network with the kernel that came with this program. A board that is newer than that kernel, such as a
        Raspberry Pi 5, starts with the firmware, kernel and modules of an image instead.
      </p>
      {present?.sets.map((set) => (
        <p key={set.name}>
          <strong>{set.name}</strong> from {set.image}: {set.kernels.map((k) => k.version).join(", ")}{" "}
          <button
            type="button"
            disabled={busy || !may("admin")}
            onClick={() =>
              void run(async () => {
                await api.deleteBootSet(set.name);
                await reload();
              })
            }
          >
            Delete {set.name}
          </button>
        </p>
      ))}
      {present !== undefined &&
        present.sets.length > 0 &&
        models.map(([model, title]) => (
          <label class="field" key={model}>
            <span>{title}</span>
            <select
              value={present.use[model] ?? ""}
              disabled={busy || !may("admin")}
              onChange={(e) => {
                const chosen = e.currentTarget.value;
                void run(async () => setPresent(await api.useBootSet(model, chosen === "" ? null : chosen)));
              }}
            >
              <option value="">{model === "all" ? "what came with the program" : "as all boards"}</option>
              {present.sets.map((set) => (
                <option value={set.name} key={set.name}>
                  {set.name}
                </option>
              ))}
            </select>
          </label>
        ))}
      <Allowed role="admin" what="Making boot sets">
        <form
          onSubmit={(e) => {
            e.preventDefault();
            void run(async () => {
              await api.createBootSet(image, name);
              setName("");
              await reload();
            });
          }}
        >
          <label class="field">
            <span>Take one from image</span>
            <select value={image} onChange={(e) => setImage(e.currentTarget.value)}>
              <option value="">choose an image</option>
              {images.value
                .filter((i) => i.architecture === "arm64")
                .map((i) => (
                  <option value={i.digest} key={i.digest}>
                    {i.name}
                  </option>
                ))}
            </select>
          </label>
          <label class="field">
            <span>Name</span>
            <input value={name} placeholder="raspios" onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          {error !== "" && <Notice tone="bad">{error}</Notice>}
          <button type="submit" class="primary" disabled={busy || image === "" || name === ""}>
            Make boot set
          </button>
        </form>
      </Allowed>
    </section>
  );
}
