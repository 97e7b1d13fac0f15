import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { api, type JobChoice } from "../../api/client";
import type { JobView } from "../../api/types";
import { jobs, snapshot, watchRefetch } from "../../state/store";

/** Jobs of one page. */
export const pageSize = 50;

/** Waits until the reader has stopped typing, and until a burst of new jobs is over. */
const settleMilliseconds = 200;

/** A page of the jobs that are chosen, live: those that are listed follow their tasks, and new ones come on the first page. */
export function useJobList({ kind, state, text, before }: JobChoice) {
  const [list, setList] = useState<readonly JobView[] | null>(null);
  const [more, setMore] = useState(false);
  const [error, setError] = useState("");
  const newest = jobs.value[0]?.id;
  const first = useRef(true);

  useEffect(() => {
    let over = false;
    const load = () =>
      // One more than is shown tells whether there is a next page.
      api.jobs({ kind, state, text, before, limit: pageSize + 1 }).then(
        (found) => {
          if (over) return;
          setList(found.slice(0, pageSize));
          setMore(found.length > pageSize);
          setError("");
        },
        (e: Error) => over || setError(e.message),
      );
    const timer = setTimeout(() => void load(), first.current ? 0 : settleMilliseconds);
    first.current = false;
    const stop = watchRefetch(() => void load());
    return () => {
      over = true;
      clearTimeout(timer);
      stop();
    };
  }, [kind, state, text, before, before === undefined ? newest : ""]);

  const known = snapshot.value.jobs;
  const live = useMemo(() => list?.map((job) => known.get(job.id) ?? job) ?? null, [list, known]);
  return { list: live, more, error };
}
