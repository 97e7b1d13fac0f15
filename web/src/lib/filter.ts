import type { NodeView } from "../api/types";
import { switchWords } from "./format";
import { linkWords, lifecycleWords } from "./words";

/** What can be asked for by name: `state:offline`. */
const fields: Record<string, (node: NodeView) => string[]> = {
  name: (n) => [n.name, n.id],
  state: (n) => [n.link, linkWords[n.link], n.lifecycle, lifecycleWords[n.lifecycle], ...(n.wantsApproval ? ["approval"] : [])],
  task: (n) => (n.task ? [n.task.kind, n.task.state, n.task.phase] : ["none"]),
  arch: (n) => [n.inventory.architecture],
  model: (n) => [n.inventory.model],
  image: (n) => [n.imageName ?? n.image ?? "none"],
  address: (n) => [n.address ?? ""],
  mac: (n) => n.inventory.interfaces.map((i) => i.mac),
  serial: (n) => [n.inventory.serial],
  mark: (n) => [n.mark],
  tag: (n) => (n.tags.length === 0 ? ["none"] : n.tags),
  location: (n) => [n.location],
  note: (n) => [n.note],
  switch: (n) => n.inventory.interfaces.flatMap((i) => (i.switch ? [switchWords(i.switch)] : [])),
};

/**
 * A test for nodes. Words that stand apart must all be found; `field:word` looks in one field; `-word` must not be found;
 * "…" keeps words together.
 */
export function nodeFilter(query: string): (node: NodeView) => boolean {
  const terms = [...query.toLowerCase().matchAll(/(-?)(?:(\w+):)?(?:"([^"]*)"?|(\S+))/g)].map((m) => {
    const field = m[2] !== undefined && Object.hasOwn(fields, m[2]) ? m[2] : undefined;
    const word = m[3] ?? m[4] ?? "";
    return { not: m[1] === "-", field, word: field === undefined && m[2] !== undefined ? `${m[2]}:${word}` : word };
  });
  return (node) =>
    terms.every(({ not, field, word }) => {
      const values = field === undefined ? Object.values(fields).flatMap((f) => f(node)) : fields[field]!(node);
      return values.some((v) => v.toLowerCase().includes(word)) !== not;
    });
}
