import type { Alert } from "./alerts";
import type { BoardView, BootEvent } from "./boot";
import type { ImageView, ImportView } from "./images";
import type { JobView, TaskView } from "./jobs";
import type { Health, LogLine, NodeView } from "./nodes";
import type { ScheduleView } from "./schedules";
import type { DiskCondition, Policy } from "./settings";

/** One server-sent event. */
export type ApplianceEvent =
  | { name: "node"; data: NodeView }
  | { name: "node-removed"; data: { id: string } }
  /** Of a node that has not changed otherwise. */
  | { name: "health"; data: { id: string; health: Health } }
  | { name: "image"; data: ImageView }
  | { name: "image-removed"; data: { digest: string } }
  | { name: "import"; data: ImportView }
  | { name: "job"; data: JobView }
  | { name: "task"; data: TaskView }
  | { name: "schedule"; data: ScheduleView }
  | { name: "schedule-removed"; data: { name: string } }
  | { name: "log"; data: LogLine[] }
  | { name: "policy"; data: Policy }
  | { name: "unapproved"; data: { count: number } }
  | { name: "alert"; data: Alert }
  | { name: "alerts"; data: object }
  | { name: "disk"; data: { disk: DiskCondition } }
  | { name: "boot"; data: { board: BoardView; events: BootEvent[] } };
