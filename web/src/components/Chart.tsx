import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { isDark } from "../lib/theme";

/** One line of a chart. */
export interface Line {
  label: string;
  /** Name of a colour of ours: "--busy". */
  colour: string;
  values: (number | null)[];
  /** The least and the greatest of each time: a band behind the line. */
  band?: { min: (number | null)[]; max: (number | null)[] };
}

/** Something that happened, drawn as a line from top to bottom. */
export interface ChartEvent {
  /** Unix seconds. */
  at: number;
  text: string;
}

interface Props {
  title: string;
  /** Unix seconds, rising. */
  times: number[];
  lines: Line[];
  events?: readonly ChartEvent[];
  /** A value as people read it. */
  text: (value: number) => string;
  /** From when to when; the data may begin later and end earlier. */
  range: [from: number, until: number];
  /** Where the axis ends at least. */
  top?: number;
}

const height = 150;
const narrowest = 120;

/** Charts that stand together move together. */
const together = uPlot.sync("charts");

const colourOf = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A colour as the canvas takes it: `light-dark()` is for style sheets. */
function resolved(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(${name}, ${colourOf(name)})`;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

/** "14:30", or "14:30:05" between minutes; where a day begins, "29 Nov". */
const tickText = (seconds: number): string => {
  const at = new Date(seconds * 1000);
  if (seconds % 60 !== 0) return at.toLocaleTimeString("en-GB");
  return at.getHours() === 0 && at.getMinutes() === 0
    ? at.toLocaleDateString("en-GB", { day: "numeric", month: "short" })
    : at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
};

function optionsOf({ lines, events, text, top }: Props, width: number): uPlot.Options {
  const dim = resolved("--dim"),
    grid = resolved("--line"),
    mark = resolved("--accent");
  const axis: uPlot.Axis = { stroke: dim, grid: { stroke: grid, width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  for (const { label, colour, band } of lines) {
    const stroke = resolved(colour);
    if (band !== undefined) {
      bands.push({ series: [series.length, series.length + 1], fill: stroke.replace(/^rgb\((.*)\)$/, "rgba($1, 0.18)") });
      series.push(
        { label: `${label}, most`, stroke: "transparent", points: { show: false }, value: read },
        { label: `${label}, least`, stroke: "transparent", points: { show: false }, value: read },
      );
    }
    series.push({ label, stroke, width: 1.5, points: { show: false }, value: read });
  }
  function read(_: uPlot, value: number | null): string {
    return value === null ? "–" : text(value);
  }
  return {
    width,
    height,
    series,
    bands,
    legend: { show: false },
    cursor: { sync: { key: together.key }, y: false, points: { size: 5 } },
    scales: { x: { time: true }, y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(top ?? 0, (max ?? 0) * 1.05, 1e-9)] } },
    axes: [
      { ...axis, values: (_, ticks) => ticks.map(tickText) },
      { ...axis, size: 64, values: (_, ticks) => ticks.map(text) },
    ],
    hooks: {
      draw: [
        (u) => {
          const { ctx } = u;
          ctx.save();
          ctx.strokeStyle = mark;
          ctx.setLineDash([4, 4]);
          for (const { at } of events ?? []) {
            const x = Math.round(u.valToPos(at, "x", true));
            if (x < u.bbox.left || x > u.bbox.left + u.bbox.width) continue;
            ctx.beginPath();
            ctx.moveTo(x, u.bbox.top);
            ctx.lineTo(x, u.bbox.top + u.bbox.height);
            ctx.stroke();
          }
          ctx.restore();
        },
      ],
    },
  };
}

function dataOf({ times, lines }: Props): uPlot.AlignedData {
  return [times, ...lines.flatMap(({ values, band }) => (band === undefined ? [values] : [band.max, band.min, values]))];
}

/** Lines over time, with what is newest said in words beside the title. */
export function Chart(props: Props) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const { title, times, lines, events, text, range } = props;
  const look = isDark();
  // Drawn anew only where it is another chart; new points are put into the one that is there.
  const shape = JSON.stringify([look, lines.map((l) => [l.label, l.colour, l.band !== undefined]), events]);
  useEffect(() => {
    const frame = place.current!;
    const width = () => Math.max(narrowest, frame.clientWidth);
    const drawn = new uPlot(optionsOf(props, width()), dataOf(props), frame);
    plot.current = drawn;
    const sized = new ResizeObserver(() => drawn.setSize({ width: width(), height }));
    sized.observe(frame);
    return () => {
      sized.disconnect();
      drawn.destroy();
      plot.current = null;
    };
  }, [shape]);
  useEffect(() => {
    plot.current?.batch(() => {
      plot.current!.setData(dataOf(props), false);
      plot.current!.setScale("x", { min: range[0], max: range[1] });
    });
  }, [times, lines, range[0], range[1], shape]);
  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <span class="chart-now">
          {lines.map(({ label, colour, values }) => {
            const last = values.findLast((v) => v !== null);
            return (
              <span key={label}>
                <i style={{ background: `var(${colour})` }} aria-hidden="true" />
                {lines.length > 1 && `${label} `}
                <b>{last === undefined || last === null ? "–" : text(last)}</b>
              </span>
            );
          })}
        </span>
      </figcaption>
      <div ref={place} role="img" aria-label={`${title} over time`} />
    </figure>
  );
}
