import { useCallback } from "preact/hooks";
import { api } from "../../api/client";
import type { LogLine, TaskPhase, TaskView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { LogView } from "../../components/LogView";
import { Timeline } from "../../components/Timeline";
import { spansOf } from "../../lib/timeline";
import { now } from "../../state/store";

/** What a task has done so far, and what it says. */
export function TaskLogDialog({ task, phases, onClose }: { task: TaskView; phases: readonly TaskPhase[]; onClose: () => void }) {
  const read = useCallback(() => api.taskLog(task.id), [task.id]);
  const belongs = useCallback((line: LogLine) => line.task === task.id, [task.id]);
  const spans = spansOf(task, phases, task.endedAt ?? now.value);
  return (
    <Dialog title={`${task.nodeName}: timeline and log`} onClose={onClose}>
      {spans.length > 0 && <Timeline spans={spans} />}
      <LogView read={read} belongs={belongs} file={`${task.nodeName}-${task.kind}.log`} />
    </Dialog>
  );
}
