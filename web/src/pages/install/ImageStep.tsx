import type { ImageView } from "../../api/types";
import { Choice } from "../../components/Choice";
import { Notice } from "../../components/Notice";
import { bytes, count, dateTime } from "../../lib/format";
import { planInstall } from "../../lib/install";
import { versionsOf } from "../../lib/versions";
import { images } from "../../state/store";
import type { StepProps } from "./NodesStep";

/** Images for an architecture, the newest first. */
export const imagesFor = (architecture: string) => images.value.filter((i) => i.architecture === architecture);

/** Which image, in which version, and whether the disks hold it. */
export function ImageStep({ draft, set, plan }: StepProps) {
  const versions = versionsOf(imagesFor(draft.architecture));
  const nodes = [...plan.taken, ...plan.left.map((l) => l.node)].filter((n) => n.inventory.architecture === draft.architecture);

  /** How many of the disks are large enough. */
  function fits(image: ImageView): string {
    const { taken } = planInstall(nodes, draft.architecture, image);
    return taken.length === nodes.length
      ? `fits ${nodes.length === 1 ? "its disk" : `all ${nodes.length} disks`}`
      : `fits ${taken.length} of ${count(nodes.length, "disk")}`;
  }

  if (versions.length === 0) {
    return (
      <Notice tone="warn">
        There is no image for {draft.architecture} yet. <a href="/images">Add one</a>; what you chose here stays.
      </Notice>
    );
  }
  return (
    <fieldset aria-label={`Images for ${draft.architecture}`}>
      {versions.map(({ image, number, of }) => (
        <Choice
          name="image"
          key={image.digest}
          checked={draft.image === image.digest}
          disabled={!!image.fault}
          onChoose={() => set({ image: image.digest })}
          title={
            <>
              <strong>{image.name}</strong>
              {of > 1 && (number === 1 ? `, newest of ${of}` : `, of ${dateTime(image.importedAt)}`)}
            </>
          }
        >
          {image.fault
            ? `Cannot be installed on nodes: ${image.fault}.`
            : `${bytes(image.usedBytes)} to write, needs ${bytes(image.sizeBytes)}: ${fits(image)}`}
        </Choice>
      ))}
    </fieldset>
  );
}
