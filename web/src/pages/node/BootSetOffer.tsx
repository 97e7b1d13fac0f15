import { useState } from "preact/hooks";
import { api } from "../../api/client";
import { Allowed } from "../../components/Allowed";
import { Dialog } from "../../components/Dialog";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { bootSetName } from "../../lib/boot";
import { images } from "../../state/store";

/** What helps a Raspberry Pi 5 to boot, where it is told that it lacks it. */
export function BootSetOffer() {
  const [asked, setAsked] = useState(false);
  const [made, setMade] = useState("");
  if (made !== "") return <p role="status">Boot set {made} is made: cycle the board's power.</p>;
  return (
    <Allowed role="admin" what="Making boot sets">
      <button type="button" onClick={() => setAsked(true)}>
        Create boot set from image …
      </button>
      {asked && <BootSetDialog onMade={setMade} onClose={() => setAsked(false)} />}
    </Allowed>
  );
}

function BootSetDialog({ onMade, onClose }: { onMade: (name: string) => void; onClose: () => void }) {
  const fitting = images.value.filter((i) => i.architecture === "arm64");
  const [digest, setDigest] = useState(fitting[0]?.digest ?? "");
  const { busy, error, run } = useAction();

  async function make(): Promise<void> {
    const image = fitting.find((i) => i.digest === digest)?.name ?? "";
    const name = bootSetName(image);
    // One that is there already need not be made again; one of that name and another image is refused.
    if (!(await api.bootSets()).sets.some((set) => set.name === name && set.image === image)) await api.createBootSet(digest, name);
    await api.useBootSet("pi5", name);
    onMade(name);
    onClose();
  }

  return (
    <Dialog title="Create boot set from image" onClose={onClose}>
      <form
        onSubmit={(e) => {
          e.preventDefault();
          void run(make);
        }}
      >
        <p>
          Its firmware, kernel, device trees and modules are laid out as a boot set, which every Raspberry Pi 5 starts NetInst with from
          then on.
        </p>
        {fitting.length === 0 ? (
          <Notice tone="warn">
            No image is here yet: <a href="/images">add one</a> that knows the Raspberry Pi 5, such as Raspberry Pi OS (64 bits).
          </Notice>
        ) : (
          <label class="field">
            <span>Image</span>
            <select value={digest} onChange={(e) => setDigest(e.currentTarget.value)}>
              {fitting.map((i) => (
                <option value={i.digest} key={i.digest}>
                  {i.name}
                </option>
              ))}
            </select>
          </label>
        )}
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        <footer>
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" class="primary" disabled={busy || digest === ""}>
            Create
          </button>
        </footer>
      </form>
    </Dialog>
  );
}
