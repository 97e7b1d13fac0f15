import type { NodeView } from "../api/types";
import { switchWords } from "./format";
import { lifecycleWords, linkWords } from "./words";

/** What can be asked for by name: `state:offline`. */
const fields: Record<string, (node: NodeView) => string[]> = {
  name: (n) => [n.name, n.id],
  // "Installer ready", as the page says, has a word in it that asks for something else ("install").
  state: (n) => [
    n.link,
    n.link === "net-inst" ? "In NetInst" : linkWords[n.link],
    n.lifecycle,
    lifecycleWords[n.lifecycle],
    ...(n.wantsApproval ? ["approval"] : []),
  ],
  task: (n) => (n.task ? [n.task.kind, n.task.state, n.task.phase] : ["none"]),
  arch: (n) => [n.inventory.architecture],
  model: (n) => [n.inventory.model],
  image: (n) => [n.imageName ?? n.image ?? "none", ...(n.image ? [n.image] : [])],
  address: (n) => [n.address ?? ""],
  mac: (n) => n.inventory.interfaces.map((i) => i.mac),
  serial: (n) => [n.inventory.serial],
  firmware: (n) => [n.inventory.firmware],
  mark: (n) => [n.mark],
  tag: (n) => (n.tags.length === 0 ? ["none"] : n.tags),
  location: (n) => [n.location],
  note: (n) => [n.note],
  switch: (n) => n.inventory.interfaces.flatMap((i) => (i.switch ? [switchWords(i.switch)] : [])),
};

interface Term {
  not: boolean;
  field: string | undefined;
  whole: boolean;
  word: string;
  /** What looks like a field and is none. */
  unknown: string | undefined;
}

/** A part of a MAC or IPv6 address looks like a field with a word. */
const address = /^[0-9a-f]{1,4}(:[0-9a-f]{0,4})+$/;

function termsOf(query: string): Term[] {
  if (query.trim() === "all") return [];
  return [...query.toLowerCase().matchAll(/(-?)(?:([a-z0-9_]+)([:=]))?(?:"([^"]*)"?|(\S+))/g)].map((m) => {
    const [, not, name = "", sign = "", quoted, bare = ""] = m;
    const known = Object.hasOwn(fields, name);
    const word = known ? (quoted ?? bare) : name + sign + (quoted ?? bare);
    return {
      not: not === "-",
      field: known ? name : undefined,
      whole: known && sign === "=",
      word,
      unknown: known || name === "" || address.test(word) ? undefined : name,
    };
  });
}

/**
 * A test for nodes. Words that stand apart must all be found; `field:word` looks in one field; `field=word` must be all of it; `-word`
 * must not be found; "…" keeps words together; `all` alone is every node. A field that there is not takes nobody. The appliance chooses
 * nodes by the same words (NodeSelector.cs): both are tested with tests/fixtures/selectors.json.
 */
export function nodeFilter(query: string): (node: NodeView) => boolean {
  const terms = termsOf(query);
  if (terms.some((t) => t.unknown !== undefined)) return () => false;
  return (node) =>
    terms.every(({ not, field, whole, word }) => {
      const values = field === undefined ? Object.values(fields).flatMap((f) => f(node)) : fields[field]!(node);
      return values.some((v) => (whole ? v.toLowerCase() === word : v.toLowerCase().includes(word))) !== not;
    });
}

/** Why the words take nobody, whoever is there; empty: they are sound. */
export function filterFault(query: string): string {
  const unknown = termsOf(query).find((t) => t.unknown !== undefined)?.unknown;
  return unknown === undefined
    ? ""
    : `Nodes have no field '${unknown}': it is one of ${Object.keys(fields).sort().join(", ")}. ` +
        "Words with ':' or '=' in them stand between quotes.";
}

/** Whether a term stands in the query by itself. */
export function hasTerm(query: string, term: string): boolean {
  return query.split(/\s+/).includes(term);
}

/** The query with one term in the place of some; with none where it is empty. */
export function swapTerm(query: string, some: readonly string[], term: string): string {
  return [...query.split(/\s+/).filter((word) => word !== "" && !some.includes(word)), term].filter((word) => word !== "").join(" ");
}
