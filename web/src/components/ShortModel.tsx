/** A board's model as tables have room for it; the whole of it is its title. */
export function ShortModel({ of }: { of: string }) {
  return <span title={of}>{of.replace(/^Raspberry /, "")}</span>;
}
