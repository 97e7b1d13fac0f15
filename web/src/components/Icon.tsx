// One stroke, 16 × 16, drawn by hand: no icon font, nothing to fetch.
const paths = {
  offline: "M3 3l10 10M8 3a5 5 0 0 1 4.9 6M4.2 5A5 5 0 0 0 10.9 12",
  online: "M3.5 8.5l3 3 6-7",
  netinst: "M8 2v8m0 0 3-3m-3 3L5 7M3 13.5h10",
  blank: "M3 4.5h10v7H3z",
  disk: "M3 4.5h10v7H3zM6 8h4",
  installed: "M3 4.5h10v7H3zM5.5 8l1.7 1.7L10.5 6.5",
  broken: "M3 4.5h10v7H3zM6.5 6.5l3 3m0-3-3 3",
  work: "M8 2.5A5.5 5.5 0 1 1 2.5 8M8 5v3l2 1.5",
  wait: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM8 5v3l2 1.5",
  hold: "M5.5 3.5v9M10.5 3.5v9",
  skip: "M4 3.5 10 8l-6 4.5zM12 3.5v9",
  ok: "M3.5 8.5l3 3 6-7",
  fail: "M4 4l8 8m0-8-8 8",
  stop: "M8 2.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM4.5 11.5l7-7",
  warn: "M8 2.5 14 13H2zM8 6.5v3M8 11.2v.3",
  key: "M6 10a2.5 2.5 0 1 1 0-.1L13 5m-2 1.5 1.5 1.5",
  moon: "M12.5 9.5A5 5 0 0 1 6.5 3.5a5 5 0 1 0 6 6z",
  sun:
    "M8 5.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5z" +
    "M8 1.8v1.4M8 12.8v1.4M1.8 8h1.4M12.8 8h1.4M3.6 3.6l1 1M11.4 11.4l1 1M3.6 12.4l1-1M11.4 4.6l1-1",
  mark: "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z",
  search: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.5 3.5",
  close: "M4 4l8 8m0-8-8 8",
  upload: "M8 11V3m0 0L5 6m3-3 3 3M3 13.5h10",
  view:
    "M2.5 4.5h5M11 4.5h2.5M2.5 11.5H5M8.5 11.5h5" +
    "M9.2 2.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4zM6.8 9.8a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z",
  back: "M10 3 5 8l5 5",
  forth: "M6 3l5 5-5 5",
  download: "M8 2.5v8m0 0 3-3m-3 3-3-3M3 13.5h10",
  copy: "M5.5 5.5h7v7h-7zM3.5 10.5v-7h7",
} as const;

export type IconName = keyof typeof paths;

/** A picture beside words that say the same: hidden from screen readers. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
      <path d={paths[name]} />
    </svg>
  );
}
