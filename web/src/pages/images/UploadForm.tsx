import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Upload, uploadImage } from "../../api/upload";
import { Icon } from "../../components/Icon";
import { Notice } from "../../components/Notice";
import { Bar } from "../../components/Progress";
import { bytes, percent } from "../../lib/format";
import { headBytes, imageFault, imageName } from "../../lib/imageName";
import { imports } from "../../state/store";

/** Name of the image that is sent by the form, or was refused there: it need not stand on the page twice. */
export const sentHere = signal<{ name: string; refused: boolean } | null>(null);

type State =
  | { at: "idle" }
  | { at: "sending"; sent: number; total: number }
  | { at: "refused"; reason: string }
  | { at: "done"; name: string };

/** Sends an image and says how far it is; a refusal is shown in the appliance's own words. */
export function UploadForm() {
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState("");
  const [architecture, setArchitecture] = useState("");
  const [state, setState] = useState<State>({ at: "idle" });
  useEffect(() => {
    sentHere.value = state.at === "refused" || state.at === "sending" ? { name, refused: state.at === "refused" } : null;
    return () => {
      sentHere.value = null;
    };
  }, [state, name]);
  const upload = useRef<Upload | null>(null);

  function choose(chosen: File | null): void {
    setFile(chosen);
    setName(chosen === null ? "" : imageName(chosen.name));
    setState({ at: "idle" });
    if (chosen !== null) void look(chosen);
  }

  /** What is no image need not be sent to be refused. */
  async function look(chosen: File): Promise<void> {
    const fault = imageFault(chosen.name, new Uint8Array(await chosen.slice(0, headBytes).arrayBuffer()));
    if (fault === "") return;
    setFile((present) => (present === chosen ? null : present));
    setState({ at: "refused", reason: fault });
  }

  async function send(image: File): Promise<void> {
    setState({ at: "sending", sent: 0, total: image.size });
    try {
      upload.current = uploadImage(image, name, architecture, (sent, total) => setState({ at: "sending", sent, total }));
      await upload.current.done;
      setState({ at: "done", name });
      setFile(null);
    } catch (e) {
      // Where the answer was lost with the connection, the event has the reason.
      const told = imports.value.find((i) => i.name === name && i.phase === "refused");
      setState({
        at: "refused",
        reason:
          (e as Error).message.startsWith("The upload was broken") && told?.reason
            ? `The image was refused: ${told.reason}.`
            : (e as Error).message,
      });
    }
  }

  const sending = state.at === "sending";
  return (
    <form
      class="card upload"
      onSubmit={(e) => {
        e.preventDefault();
        if (file) void send(file);
      }}
      onDragOver={(e) => e.preventDefault()}
      onDrop={(e) => {
        e.preventDefault();
        if (!sending) choose(e.dataTransfer?.files[0] ?? null);
      }}
    >
      <label class="file">
        <Icon name="upload" />
        <span>{file === null ? "Choose an image file, or drop one here" : `${file.name}, ${bytes(file.size)}`}</span>
        <input type="file" aria-label="Image file" disabled={sending} onChange={(e) => choose(e.currentTarget.files?.[0] ?? null)} />
      </label>
      {file !== null && (
        <div class="upload-fields">
          <label class="field">
            <span>Name</span>
            <input type="text" required maxLength={100} value={name} disabled={sending} onInput={(e) => setName(e.currentTarget.value)} />
          </label>
          <label class="field">
            <span>Architecture</span>
            <select value={architecture} disabled={sending} onChange={(e) => setArchitecture(e.currentTarget.value)}>
              <option value="">as the image says</option>
              <option value="arm64">arm64 (Raspberry Pi 3, 4, 5)</option>
              <option value="amd64">amd64 (PC)</option>
            </select>
          </label>
          {sending ? (
            <button type="button" onClick={() => upload.current?.abort()}>
              Cancel
            </button>
          ) : (
            <button type="submit" class="primary">
              Upload
            </button>
          )}
        </div>
      )}
      {sending && (
        <div class="measure-block">
          <Bar fraction={state.total > 0 ? state.sent / state.total : null} label="Upload" />
          <p class="measure">
            <span>
              {state.sent < state.total ? `sending · ${percent(state.sent / state.total)}` : "sent; the appliance finishes its import"}
            </span>
            <span class="dim">
              {bytes(state.sent)} of {bytes(state.total)}
            </span>
          </p>
        </div>
      )}
      {state.at === "refused" && <Notice tone="bad">{state.reason}</Notice>}
      {state.at === "done" && <Notice tone="good">{state.name} is in the store: choose nodes and install it.</Notice>}
    </form>
  );
}
