import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { NodeView } from "../../api/types";
import { useAction } from "../../components/useAction";
import { now } from "../../state/store";

const seconds = 60;

/** Blinks the board's activity LED, and says whether it does. */
export function LocateButton({ node }: { node: NodeView }) {
  const [blinks, setBlinks] = useState<{ led: string; until: number } | null>(null);
  const { busy, error, run } = useAction();
  const over = blinks !== null && blinks.until <= now.value;
  useEffect(() => {
    if (over) setBlinks(null);
  }, [over]);

  const ask = (time: number) =>
    run(async () => {
      const { led } = await api.locate(node.id, time);
      setBlinks(time === 0 ? null : { led, until: Date.now() + time * 1000 });
    });
  return (
    <>
      <button type="button" disabled={busy || node.link === "offline"} onClick={() => void ask(blinks === null ? seconds : 0)}>
        {blinks === null ? "Locate" : "Stop blinking"}
      </button>
      <span role="status" class={error === "" ? "dim" : "bad-text"}>
        {error !== ""
          ? error
          : blinks !== null && `${blinks.led} blinks for ${Math.min(seconds, Math.ceil((blinks.until - now.value) / 1000))} s`}
      </span>
    </>
  );
}
