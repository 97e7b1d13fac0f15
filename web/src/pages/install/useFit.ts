import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView, ProfileFit } from "../../api/types";
import { useAction } from "../../components/useAction";

/** Whether a profile fits nodes, as the appliance says. */
export function useFit(profile: string, nodes: readonly NodeView[]) {
  const [fits, setFits] = useState<readonly ProfileFit[] | null>(null);
  const { busy, error, run } = useAction();
  const ids = nodes.map((n) => n.id).join(" ");
  const check = () =>
    run(async () => {
      setFits(null);
      if (profile !== "" && ids !== "") setFits(await api.checkProfile(profile, ids.split(" ")));
    });
  useEffect(() => void check(), [profile, ids]);
  const faulty = fits?.filter((f) => f.faults.length > 0) ?? [];
  return { known: profile === "" || fits !== null, faulty, busy, error, check };
}
