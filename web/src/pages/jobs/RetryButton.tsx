import { useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobKind, JobView, NodeView } from "../../api/types";
import { useAction } from "../../components/useAction";
import { go } from "../../lib/router";
import { PowerDialog } from "../nodes/PowerDialog";
import { InstallAgainDialog } from "./InstallAgainDialog";

/** Whatever erases disks or stops nodes is asked for once more. */
const asksAgain: ReadonlySet<JobKind> = new Set<JobKind>(["install", "reboot", "shutdown", "firmware"]);

interface Props {
  job: JobView;
  /** Those that failed in it. */
  targets: readonly NodeView[];
  /** It is for this node alone. */
  only?: NodeView;
  label: string;
}

/** Orders a job's work again for nodes that failed in it. */
export function RetryButton({ job, targets, only, label }: Props) {
  const [asked, setAsked] = useState(false);
  const { busy, error, run } = useAction();
  const close = () => setAsked(false);

  function retry(): void {
    if (asksAgain.has(job.kind)) setAsked(true);
    else void run(async () => go(`/jobs/${(await api.retryJob(job.id, 0, only?.id)).job.id}`));
  }

  return (
    <>
      <button type="button" disabled={busy || targets.length === 0} onClick={retry}>
        {label}
        {asksAgain.has(job.kind) && " …"}
      </button>
      {error !== "" && (
        <span class="bad-text" role="alert">
          {error}
        </span>
      )}
      {asked && job.kind === "install" && <InstallAgainDialog job={job} targets={targets} only={only} onClose={close} />}
      {asked && (job.kind === "reboot" || job.kind === "shutdown" || job.kind === "firmware") && (
        <PowerDialog kind={job.kind} targets={targets} retryOf={job} only={only} onClose={close} />
      )}
    </>
  );
}
