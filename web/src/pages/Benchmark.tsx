import { api } from "../api/client";
import type { BenchmarkDetails } from "../api/types";
import { Ago } from "../components/Ago";
import { Badge } from "../components/Badge";
import { Chart } from "../components/Chart";
import { Facts } from "../components/Facts";
import { Empty, Notice } from "../components/Notice";
import { useRead } from "../components/useRead";
import { type Course, compared, courses, measured, perCycle, perThousand, requestWords, throttlings, uncertainty } from "../lib/benchmarks";
import { count, duration } from "../lib/format";

/** One result: what was measured, and what the node was like meanwhile. */
export function BenchmarkPage({ task }: { task: string }) {
  const { value, error } = useRead(() => api.benchmarkResult(task), [task]);
  if (error !== "") {
    return (
      <Empty title="This result cannot be shown">
        <p>{error}</p>
        <p>
          <a href="/benchmarks">All benchmarks</a>
        </p>
      </Empty>
    );
  }
  return value === undefined ? <p class="dim">Reading …</p> : <OneResult details={value} />;
}

function OneResult({ details }: { details: BenchmarkDetails }) {
  const { summary, machine } = details;
  return (
    <>
      <p class="crumbs">
        <a href="/benchmarks">Benchmarks</a> /
      </p>
      <div class="page-head">
        <h1>
          {summary.request.kind} on <a href={`/nodes/${encodeURIComponent(summary.node)}`}>{summary.nodeName}</a>
        </h1>
        <ResultBadge result={summary} />
        <span class="dim">
          measured <Ago at={summary.startedAt} /> by <a href={`/jobs/${summary.job}`}>a job</a>
        </span>
        <span class="end export">
          Export{" "}
          <a href={`/api/v1/benchmarks/results/${summary.task}`} download={`${summary.request.kind}-${summary.nodeName}.json`}>
            JSON
          </a>
        </span>
      </div>
      {summary.faults.length > 0 && (
        <Notice tone="bad">
          <p>This result does not count:</p>
          <ul>
            {summary.faults.map((f) => (
              <li key={f.words}>{f.words}</li>
            ))}
          </ul>
        </Notice>
      )}
      <div class="columns">
        <section class="card" aria-label="Result">
          <h2>{measured(summary.median, summary.unit)}</h2>
          <Facts
            facts={[
              ["Benchmark", requestWords(summary.request)],
              ["Measured against", summary.peer],
              [
                "95 % interval",
                `${measured(summary.low, summary.unit)} to ${measured(summary.high, summary.unit)} (${uncertainty(summary)})`,
              ],
              ["MAD", measured(summary.mad, summary.unit)],
              ["Samples", `${details.samples.length}${summary.isSteady ? "" : ", and the median is not steady yet"}`],
              ["Of the times before", compared(summary)],
              ["Instructions per cycle", perCycle(details)],
              ["Cache misses", perThousand(details)],
              ["Took", duration(details.seconds * 1000)],
              ["Waited until quiet", duration(details.waitedSeconds * 1000)],
            ]}
          />
        </section>
        <section class="card" aria-label="Measured on">
          <h2>Measured on</h2>
          <Facts
            facts={[
              ["Model", machine.model],
              ["Processors", `${machine.processors} × ${machine.architecture}`],
              ["Clock", clockWords(machine)],
              ["Governor", machine.governor],
              ["Kernel", machine.kernel],
              ["Bootloader", machine.firmware],
            ]}
          />
        </section>
      </div>
      <section class="card" aria-label="During the run">
        <h2>During the run</h2>
        <Run details={details} />
      </section>
    </>
  );
}

const clockWords = ({ measuredClock, nominalClock }: BenchmarkDetails["machine"]): string =>
  `${Math.round(measuredClock)} MHz${nominalClock === undefined ? "" : `, advertised as ${Math.round(nominalClock)} MHz`}`;

/** Samples, and the node second by second, one above the other. */
function Run({ details: { summary, samples, moments, seconds } }: { details: BenchmarkDetails }) {
  const start = summary.startedAt / 1000;
  const range: [number, number] = [start, start + Math.max(1, seconds, moments.at(-1)?.seconds ?? 0)];
  const times = moments.map((m) => start + m.seconds);
  const isKnown = ({ lines }: Course) => lines.some(({ of }) => moments.some((m) => m[of] !== undefined));
  const events = throttlings(moments).map((at) => ({ at: start + at, text: "throttled" }));
  return (
    <>
      <div class="charts">
        <Chart
          title="Samples"
          times={samples.map((_, i) => start + ((i + 1) * seconds) / samples.length)}
          lines={[{ label: "Samples", colour: "--busy", values: samples }]}
          events={events}
          text={(value) => measured(value, summary.unit)}
          range={range}
        />
        {courses.filter(isKnown).map(({ title, top, lines, text }) => (
          <Chart
            key={title}
            title={title}
            times={times}
            lines={lines.map(({ of, label, colour }) => ({ label, colour, values: moments.map((m) => m[of] ?? null) }))}
            events={events}
            text={text}
            range={range}
            {...(top !== undefined && { top })}
          />
        ))}
      </div>
      {events.length > 0 && (
        <p class="dim small">Dashed lines: the firmware began to throttle the processor, {count(events.length, "time")}.</p>
      )}
    </>
  );
}

/** Whether a result counts, and whether it is clearly slower than before. */
export function ResultBadge({ result }: { result: BenchmarkDetails["summary"] }) {
  const why = result.faults.map((f) => f.words).join("; ");
  if (why !== "") return <Badge icon="fail" tone="bad" text="Does not count" help={why} />;
  if (result.isRegression) return <Badge icon="fail" tone="bad" text="Slower than before" help={compared(result)} />;
  return <Badge icon="ok" tone="good" text="Counts" />;
}
