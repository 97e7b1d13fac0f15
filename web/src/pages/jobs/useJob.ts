import { useEffect, useMemo, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { JobView, TaskPhase, TaskView } from "../../api/types";
import { withPhase } from "../../lib/timeline";
import { byName } from "../../state/reduce";
import { snapshot, watchRefetch, watchTasks } from "../../state/store";

interface Known {
  job: JobView;
  tasks: ReadonlyMap<string, TaskView>;
  /** By task. */
  phases: ReadonlyMap<string, readonly TaskPhase[]>;
}

function put(before: Known, some: readonly TaskView[]): Known {
  const tasks = new Map(before.tasks);
  const phases = new Map(before.phases);
  for (const task of some) {
    tasks.set(task.id, task);
    phases.set(task.id, withPhase(phases.get(task.id) ?? [], task));
  }
  return { ...before, tasks, phases };
}

/** A job with its tasks by the names of their nodes and the course of each, live; null: not read yet. */
export function useJob(id: string) {
  const [known, setKnown] = useState<Known | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let over = false;
    let reading = 0;
    // What is being read may be older than what events tell meanwhile: they come after it.
    let meanwhile: TaskView[] = [];
    async function load(): Promise<void> {
      reading++;
      try {
        const [detail, phases] = await Promise.all([api.job(id), api.jobPhases(id)]);
        if (over) return;
        const courses = new Map<string, TaskPhase[]>();
        for (const phase of phases) courses.set(phase.task, [...(courses.get(phase.task) ?? []), phase]);
        setKnown(put({ job: detail.job, tasks: new Map(detail.tasks.map((t) => [t.id, t])), phases: courses }, meanwhile));
        setError("");
      } catch (e) {
        if (!over) setError((e as Error).message);
      } finally {
        if (--reading === 0) meanwhile = [];
      }
    }
    void load();
    const stops = [
      watchRefetch(() => void load()),
      watchTasks((changed) => {
        const ours = changed.filter((t) => t.jobId === id);
        if (reading > 0) meanwhile.push(...ours);
        if (ours.length > 0) setKnown((before) => before && put(before, ours));
      }),
    ];
    return () => {
      over = true;
      for (const stop of stops) stop();
    };
  }, [id]);
  const tasks = useMemo(
    () => (known === null ? [] : [...known.tasks.values()].sort((a, b) => byName({ name: a.nodeName }, { name: b.nodeName }))),
    [known],
  );
  return {
    known: known && { job: snapshot.value.jobs.get(id) ?? known.job, tasks, phases: known.phases },
    error,
    put: (some: readonly TaskView[]) => setKnown((before) => before && put(before, some)),
  };
}
