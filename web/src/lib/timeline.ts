import type { TaskPhase, TaskView } from "../api/types";
import { isOver, phaseWords, taskWords } from "./words";

/** A part of a task's course. */
export interface Span {
  words: string;
  from: number;
  /** The present where it goes on. */
  to: number;
  /** It waited, or was on its way: nothing was done. */
  idle: boolean;
  /** It goes on. */
  open: boolean;
}

/** A task's course from its order on. Times between the same words are one span: a node that was away and is back goes on. */
export function spansOf(task: TaskView, phases: readonly TaskPhase[], now: number): Span[] {
  const spans: Span[] = [];
  for (const [i, { state, phase, at }] of phases.entries()) {
    if (isOver(state)) break;
    const to = phases[i + 1]?.at ?? task.endedAt ?? Math.max(now, at);
    const words = phase === "" ? taskWords[state].toLowerCase() : phaseWords(phase);
    const last = spans.at(-1);
    if (last?.words === words) last.to = to;
    else spans.push({ words, from: at, to, idle: state !== "running", open: false });
  }
  const last = spans.at(-1);
  if (last !== undefined) last.open = !isOver(task.state);
  return spans;
}

/** What is known of a task's course with what an event tells besides. */
export function withPhase(phases: readonly TaskPhase[], task: TaskView): readonly TaskPhase[] {
  const last = phases.at(-1);
  if (task.sentAt === undefined || (last?.state === task.state && last.phase === task.phase)) return phases;
  return [...phases, { task: task.id, state: task.state, phase: task.phase, at: task.phaseAt }];
}
