import type { ImageView } from "../../api/types";
import { EraseList } from "../../components/EraseList";
import { Facts } from "../../components/Facts";
import { TypedConfirmation } from "../../components/TypedConfirmation";
import { beginWords, rolloutWords, usesSlot } from "../../lib/install";
import { LeftOut, type StepProps } from "./NodesStep";

interface Props extends StepProps {
  image: ImageView | undefined;
  typed: string;
  onType: (typed: string) => void;
}

/** Everything that was chosen, which disks lose what, and the number of nodes to be typed. */
export function ConfirmStep({ draft, plan, image, typed, onType }: Props) {
  return (
    <>
      <Facts
        facts={[
          ["Image", image?.name ?? "was deleted"],
          ["User data", draft.update ? "kept: home folders, SSH host keys and the machine's id, or what the profile says" : "erased"],
          ...(draft.testCard && !draft.update ? [["Cards", "are tested before: all is written and read back"] as [string, string]] : []),
          ["Profile", draft.profile === "" ? "none" : draft.profile],
          ["Roll-out", rolloutWords(draft)],
          ["Begins", beginWords(draft)],
          ["Warn logged-in users", draft.grace === 0 ? "no" : `${draft.grace / 60} min before`],
        ]}
      />
      <h3>What will be erased{draft.update && ", but for what is kept"}</h3>
      <EraseList nodes={plan.taken} image={image} update={draft.update} />
      <LeftOut plan={plan} />
      <TypedConfirmation
        count={plan.taken.length}
        keeps={draft.update}
        slots={plan.taken.filter((n) => usesSlot(n, image, draft.update)).length}
        typed={typed}
        onType={onType}
      />
    </>
  );
}
