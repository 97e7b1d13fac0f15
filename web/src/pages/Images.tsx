import { useState } from "preact/hooks";
import { api } from "../api/client";
import type { ImageView } from "../api/types";
import { Ago } from "../components/Ago";
import { ConfirmDialog } from "../components/ConfirmDialog";
import { Empty } from "../components/Notice";
import { Table, type Column } from "../components/Table";
import { bytes, count } from "../lib/format";
import { images, nodes } from "../state/store";
import { Imports } from "./images/Imports";
import { UploadForm } from "./images/UploadForm";

export function ImagesPage() {
  const [removing, setRemoving] = useState<ImageView | null>(null);
  const [columns] = useState(() => imageColumns(setRemoving));
  const all = images.value;
  return (
    <>
      <div class="page-head">
        <h1>Images</h1>
        <span class="dim">
          {count(all.length, "image")}, {bytes(all.reduce((sum, i) => sum + i.storedBytes, 0))} stored
        </span>
      </div>
      <UploadForm />
      <Imports />
      {all.length === 0 ? (
        <Empty title="No images yet">
          <p>
            An image is a whole disk with its partitions, such as Raspberry Pi OS or Debian as they are downloaded: <code>.img</code>,{" "}
            <code>.img.xz</code>, <code>.img.zst</code> or <code>.img.gz</code>. There is no need to unpack it.
          </p>
          <p>
            Only what is in use is kept and sent; free space of ext4 and FAT file systems is not. The same from a terminal:{" "}
            <code>bootstrap images import FILE</code>
          </p>
        </Empty>
      ) : (
        <Table label="Images" columns={columns} rows={all} keyOf={(i) => i.digest} />
      )}
      {removing && <RemoveDialog image={removing} onClose={() => setRemoving(null)} />}
    </>
  );
}

function RunOn({ image }: { image: ImageView }) {
  const on = nodes.value.filter((n) => n.image === image.digest);
  if (on.length === 0) return <span class="dim">no node</span>;
  return <a href={`/nodes?q=${encodeURIComponent(`image:"${image.name}"`)}`}>{on.length === 1 ? on[0]!.name : count(on.length, "node")}</a>;
}

const imageColumns = (remove: (image: ImageView) => void): readonly Column<ImageView>[] => [
  { id: "name", title: "Name", width: "minmax(10rem, 2fr)", cell: (i) => <strong title={i.digest}>{i.name}</strong> },
  { id: "arch", title: "Arch", width: "4.5rem", cell: (i) => i.architecture },
  { id: "size", title: "Disk size", width: "6rem", align: "end", cell: (i) => bytes(i.sizeBytes) },
  { id: "used", title: "In use", width: "6rem", align: "end", cell: (i) => bytes(i.usedBytes) },
  { id: "stored", title: "Stored", width: "6rem", align: "end", cell: (i) => bytes(i.storedBytes) },
  { id: "on", title: "Runs on", width: "minmax(6rem, 1fr)", cell: (i) => <RunOn image={i} /> },
  { id: "imported", title: "Imported", width: "8rem", cell: (i) => <Ago at={i.importedAt} />, minor: true },
  {
    id: "do",
    title: "",
    width: "6rem",
    align: "end",
    cell: (i) => (
      <button type="button" class="small" aria-label={`Delete ${i.name}`} onClick={() => remove(i)}>
        Delete …
      </button>
    ),
  },
];

function RemoveDialog({ image, onClose }: { image: ImageView; onClose: () => void }) {
  const on = nodes.value.filter((n) => n.image === image.digest).length;
  return (
    <ConfirmDialog
      title={`Delete image ${image.name}?`}
      keep="Keep it"
      confirm="Delete"
      onConfirm={async () => void (await api.deleteImage(image.digest))}
      onClose={onClose}
    >
      <p>
        Chunks that no other image needs are removed, up to {bytes(image.storedBytes)}.{" "}
        {on > 0 ? `${count(on, "node")} keep running it, but cannot be installed with it again.` : "No node runs it."}
      </p>
    </ConfirmDialog>
  );
}
