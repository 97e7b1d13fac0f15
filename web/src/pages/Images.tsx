import { useMemo, useState } from "preact/hooks";
import { api } from "../api/client";
import type { ImageView } from "../api/types";
import { Ago } from "../components/Ago";
import { Allowed } from "../components/Allowed";
import { ConfirmDialog } from "../components/ConfirmDialog";
import { Dialog } from "../components/Dialog";
import { Empty } from "../components/Notice";
import { type Column, Table } from "../components/Table";
import { bytes, count, dateTime } from "../lib/format";
import { type ImageVersion, versionsOf } from "../lib/versions";
import { images, imports, nodes, policy, schedules, snapshot } from "../state/store";
import { Imports } from "./images/Imports";
import { sentHere, UploadForm } from "./images/UploadForm";

export function ImagesPage() {
  const [removing, setRemoving] = useState<ImageView | null>(null);
  const [publishing, setPublishing] = useState<ImageView | null>(null);
  const [columns] = useState(() => imageColumns(setRemoving, setPublishing));
  const all = images.value;
  const versions = useMemo(() => versionsOf(all), [all]);
  return (
    <>
      <div class="page-head">
        <h1>Images</h1>
        <span class="dim">
          {count(new Set(all.map((i) => i.name)).size, "image")}
          {versions.some((v) => v.of > 1) && ` in ${count(all.length, "version")}`}, {bytes(all.reduce((sum, i) => sum + i.storedBytes, 0))}{" "}
          stored
        </span>
      </div>
      <Allowed role="operator" what="Adding images">
        <UploadForm />
      </Allowed>
      <Imports />
      {all.length === 0 && !isComing() && (
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
      )}
      {all.length > 0 && <Table label="Images" columns={columns} rows={versions} keyOf={(v) => v.image.digest} />}
      {removing && <RemoveDialog image={removing} onClose={() => setRemoving(null)} />}
      {publishing && <PublishDialog image={publishing} onClose={() => setPublishing(null)} />}
    </>
  );
}

/** An image is being sent or imported. */
const isComing = () => sentHere.value?.refused === false || imports.value.some((i) => i.phase !== "done" && i.phase !== "refused");

/** The nodes whose disks it was installed on last. */
const nodesOf = (image: ImageView) => nodes.value.filter((n) => n.image === image.digest);

function RunOn({ image, of }: ImageVersion) {
  const on = nodesOf(image);
  if (on.length === 0) return <span class="dim">no node</span>;
  // The name says which nodes, unless other versions have it too.
  const term = of === 1 ? `image="${image.name}"` : `image:${image.digest.slice(0, 12)}`;
  return <a href={`/nodes?q=${encodeURIComponent(term)}`}>{on.length === 1 ? on[0]!.name : count(on.length, "node")}</a>;
}

/** What will take it, besides people. */
function users(image: ImageView): string[] {
  const newest = images.value.find((i) => i.name === image.name);
  return [
    ...[...snapshot.value.jobs.values()].filter((j) => !j.ended && j.image === image.digest).map(() => "a job that has not ended"),
    ...schedules.value
      .filter((s) => s.job.image === image.digest || (s.job.image === image.name && newest?.digest === image.digest))
      .map((s) => `the schedule ${s.name}`),
    ...Object.entries(policy.value?.installNewBoards ?? {})
      .filter(([, digest]) => digest === image.digest)
      .map(([architecture]) => `the policy for new boards (${architecture})`),
  ];
}

const imageColumns = (remove: (image: ImageView) => void, publish: (image: ImageView) => void): readonly Column<ImageVersion>[] => [
  {
    id: "name",
    title: "Name",
    width: "minmax(10rem, 2fr)",
    cell: ({ image: i, number, of }) => (
      <>
        <strong class={number > 1 ? "earlier" : undefined} title={i.digest}>
          {i.name}
        </strong>
        {of > 1 && <span class="dim"> {number === 1 ? `newest of ${of}` : `imported ${dateTime(i.importedAt)}`}</span>}
        {i.slots > 1 && <span class="dim"> two slots</span>}
        {i.fault && (
          <span class="warn-text" title={`It cannot be installed on nodes: ${i.fault}.`}>
            {" "}
            cannot be installed
          </span>
        )}
      </>
    ),
  },
  { id: "arch", title: "Arch", width: "4.5rem", cell: ({ image: i }) => i.architecture },
  { id: "size", title: "Disk size", width: "6rem", align: "end", cell: ({ image: i }) => bytes(i.sizeBytes) },
  { id: "used", title: "In use", width: "6rem", align: "end", cell: ({ image: i }) => bytes(i.usedBytes) },
  { id: "stored", title: "Stored", width: "6rem", align: "end", cell: ({ image: i }) => bytes(i.storedBytes) },
  { id: "on", title: "Runs on", width: "minmax(6rem, 1fr)", cell: (version) => <RunOn {...version} /> },
  { id: "imported", title: "Imported", width: "8rem", cell: ({ image: i }) => <Ago at={i.importedAt} />, minor: true },
  {
    id: "access",
    title: "Access",
    width: "5rem",
    cell: ({ image: i }) => (
      <span
        class={i.public ? undefined : "dim"}
        title={i.public ? "Anybody on the network can fetch it" : "For approved nodes, and users who are signed in"}
      >
        {i.public ? "public" : "private"}
      </span>
    ),
  },
  {
    id: "do",
    title: "",
    width: "13rem",
    align: "end",
    cell: ({ image: i, number, of }) => {
      const name = `${i.name}${of > 1 ? `, version ${number} of ${of}` : ""}`;
      return (
        <Allowed role="operator">
          <button type="button" class="small" aria-label={`${i.public ? "Unpublish" : "Publish"} ${name}`} onClick={() => publish(i)}>
            {i.public ? "Unpublish …" : "Publish …"}
          </button>
          <button type="button" class="small" aria-label={`Delete ${name}`} onClick={() => remove(i)}>
            Delete …
          </button>
        </Allowed>
      );
    },
  },
];

function PublishDialog({ image, onClose }: { image: ImageView; onClose: () => void }) {
  return (
    <ConfirmDialog
      title={`${image.public ? "Unpublish" : "Publish"} ${image.name}?`}
      keep="Cancel"
      confirm={image.public ? "Unpublish" : "Publish"}
      onConfirm={async () => void (await api.publishImage(image.digest, !image.public))}
      onClose={onClose}
    >
      {image.public ? (
        <p>
          It is private then: only approved nodes and users who are signed in can fetch it. Raspberry Pi Imager does not list it any more.
        </p>
      ) : (
        <p>
          Anybody on this network can fetch it then, over plain HTTP, with all that is in it: passwords, keys and Wi-Fi that were put into
          it, too. Raspberry Pi Imager lists it, and boards fetch it a little faster.
        </p>
      )}
    </ConfirmDialog>
  );
}

function RemoveDialog({ image, onClose }: { image: ImageView; onClose: () => void }) {
  const on = nodesOf(image).length;
  const needed = users(image);
  if (needed.length > 0) {
    return (
      <Dialog title={`${image.name} is needed`} onClose={onClose}>
        <p>It cannot be deleted: it will be installed by</p>
        <ul>
          {needed.map((user) => (
            <li key={user}>{user}</li>
          ))}
        </ul>
        <footer>
          <button type="button" onClick={onClose}>
            Keep it
          </button>
        </footer>
      </Dialog>
    );
  }
  return (
    <ConfirmDialog
      title={`Delete image ${image.name}?`}
      keep="Keep it"
      confirm={on > 0 ? `Delete, although ${count(on, "node")} ${on === 1 ? "runs" : "run"} it` : "Delete"}
      onConfirm={async () => void (await api.deleteImage(image.digest, on > 0))}
      onClose={onClose}
    >
      <p>
        Chunks that no other image needs are removed, up to {bytes(image.storedBytes)}.{" "}
        {on === 0
          ? "No node runs it."
          : `${count(on, "node")} ${on === 1 ? "keeps" : "keep"} running it, but cannot be installed with it again, ` +
            "nor can what failed be ordered again."}
      </p>
    </ConfirmDialog>
  );
}
