import { api } from "../../api/client";
import type { JobView, TaskView } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { sentence } from "../../lib/format";

interface Props {
  job: JobView;
  put: (tasks: readonly TaskView[]) => void;
}

/** Of a job of which no node has heard: it can be taken back as if it had never been ordered. */
export function UndoNotice({ job, put }: Props) {
  const { busy, error, run } = useAction();
  return (
    <Notice tone="warn">
      <div class="undo">
        <span>
          {job.note !== "" && sentence(job.note)} No node has heard of this job yet.
          {job.choosesAgain && (
            <>
              {" "}
              It will be for those that <code>{job.select}</code> takes when it begins.
            </>
          )}
        </span>
        <Allowed role="operator">
          <button type="button" disabled={busy} onClick={() => void run(async () => put((await api.undoJob(job.id)).tasks))}>
            Undo
          </button>
        </Allowed>
      </div>
      {error !== "" && <p class="bad-text">{error}</p>}
    </Notice>
  );
}
