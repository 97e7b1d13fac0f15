import type { NodeView } from "../api/types";

/** By what the tiles of a rack stand together. */
export const groupings = ["location", "switch", "tag", "model", "none"] as const;
export type Grouping = (typeof groupings)[number];
export const groupingWords: Record<Grouping, string> = {
  location: "Location",
  switch: "Switch",
  tag: "Tag",
  model: "Model",
  none: "Nothing",
};

export interface Group {
  name: string;
  nodes: NodeView[];
}

const order = new Intl.Collator("en", { numeric: true }).compare;

function switchOf(node: NodeView): { name: string; port: string } | undefined {
  const port = node.inventory.interfaces.find((i) => i.switch !== undefined)?.switch;
  return port && { name: port.systemName || port.chassis, port: port.portDescription || port.port };
}

function placesOf(node: NodeView, by: Grouping): string[] {
  switch (by) {
    case "location":
      return [node.location || "No location"];
    case "switch":
      return [switchOf(node)?.name ?? "No switch known"];
    case "tag":
      return node.tags.length === 0 ? ["No tag"] : node.tags;
    case "model":
      return [node.inventory.model || "Unknown model"];
    case "none":
      return [""];
  }
}

/** Nodes in groups, both in the order of people; within a switch by its ports. A node with two tags stands in two groups. */
export function grouped(nodes: readonly NodeView[], by: Grouping): Group[] {
  const groups = new Map<string, NodeView[]>();
  for (const node of nodes) {
    for (const place of placesOf(node, by)) {
      const there = groups.get(place);
      if (there === undefined) groups.set(place, [node]);
      else there.push(node);
    }
  }
  const key = (node: NodeView) => (by === "switch" ? (switchOf(node)?.port ?? "") : "");
  const isRest = (name: string) => name.startsWith("No ") || name.startsWith("Unknown ");
  return [...groups]
    .map(([name, its]) => ({ name, nodes: its.sort((a, b) => order(key(a), key(b)) || order(a.name, b.name)) }))
    .sort((a, b) => Number(isRest(a.name)) - Number(isRest(b.name)) || order(a.name, b.name));
}
