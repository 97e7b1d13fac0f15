import { useEffect, useRef } from "preact/hooks";
import type { JobView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { sentence } from "../../lib/format";

interface Props {
  job: JobView;
  busy: boolean;
  undo: () => void;
}

/** Of a job of which no node has heard: it can be taken back as if it had never been ordered. */
export function UndoNotice({ job, busy, undo }: Props) {
  const button = useRef<HTMLButtonElement>(null);
  // Whoever has just ordered it must not look for the way back while it can still be gone.
  useEffect(() => {
    if (document.activeElement === document.body || document.activeElement?.matches("main")) button.current?.focus();
  }, []);
  return (
    <Notice tone="warn">
      <div class="undo">
        <span>
          {job.note !== "" && sentence(job.note)} Not sent yet.
          {job.choosesAgain && (
            <>
              {" "}
              It will be for those that <code>{job.select}</code> takes when it begins.
            </>
          )}
        </span>
        <Allowed role="operator">
          <button ref={button} type="button" disabled={busy} onClick={undo}>
            Undo
          </button>
        </Allowed>
      </div>
    </Notice>
  );
}
