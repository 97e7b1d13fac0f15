import { useCallback } from "preact/hooks";
import { api } from "../../api/client";
import type { LogLine, TaskView } from "../../api/types";
import { Dialog } from "../../components/Dialog";
import { LogView } from "../../components/LogView";

export function TaskLogDialog({ task, onClose }: { task: TaskView; onClose: () => void }) {
  const read = useCallback(() => api.taskLog(task.id), [task.id]);
  const belongs = useCallback((line: LogLine) => line.task === task.id, [task.id]);
  return (
    <Dialog title={`Log of this task on ${task.nodeName}`} onClose={onClose}>
      <LogView read={read} belongs={belongs} />
    </Dialog>
  );
}
