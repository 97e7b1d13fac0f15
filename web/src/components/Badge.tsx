import type { Lifecycle, LinkState, NodeMark, TaskState } from "../api/types";
import { lifecycleHelp, lifecycleWords, linkHelp, linkWords, markHelp, markWords, taskWords } from "../lib/words";
import { Icon, type IconName } from "./Icon";

export type Tone = "quiet" | "good" | "busy" | "bad" | "warn";

/** A state: picture and word, and a colour for those who see it. */
export function Badge({ icon, tone, text, help }: { icon: IconName; tone: Tone; text: string; help?: string }) {
  return (
    <span class={`badge ${tone}`} title={help}>
      <Icon name={icon} />
      {text}
    </span>
  );
}

export const linkLooks: Record<LinkState, [IconName, Tone]> = {
  offline: ["offline", "quiet"],
  "net-inst": ["netinst", "busy"],
  slave: ["online", "good"],
};

export function LinkBadge({ state }: { state: LinkState }) {
  const [icon, tone] = linkLooks[state];
  return <Badge icon={icon} tone={tone} text={linkWords[state]} help={linkHelp[state]} />;
}

/** What a person has not seen yet; nothing where there is no such thing. */
export function MarkBadge({ mark }: { mark: NodeMark }) {
  if (mark === "none") return null;
  return <Badge icon="mark" tone="busy" text={markWords[mark]} help={markHelp[mark]} />;
}

export const lifecycleLooks: Record<Lifecycle, [IconName, Tone]> = {
  new: ["blank", "quiet"],
  installing: ["disk", "busy"],
  installed: ["installed", "good"],
  unbootable: ["broken", "bad"],
};

export function LifecycleBadge({ state }: { state: Lifecycle }) {
  const [icon, tone] = lifecycleLooks[state];
  return <Badge icon={icon} tone={tone} text={lifecycleWords[state]} help={lifecycleHelp[state]} />;
}

const taskLooks: Record<TaskState, [IconName, Tone]> = {
  held: ["hold", "quiet"],
  waiting: ["wait", "quiet"],
  sent: ["work", "busy"],
  running: ["work", "busy"],
  succeeded: ["ok", "good"],
  failed: ["fail", "bad"],
  cancelled: ["stop", "warn"],
  "timed-out": ["wait", "bad"],
  skipped: ["skip", "warn"],
};

export function TaskBadge({ state, count }: { state: TaskState; count?: number }) {
  const [icon, tone] = taskLooks[state];
  return <Badge icon={icon} tone={tone} text={count === undefined ? taskWords[state] : `${count} ${taskWords[state].toLowerCase()}`} />;
}
