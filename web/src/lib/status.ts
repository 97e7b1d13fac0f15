import type { ProcessReading, StatusMessage } from "../api/types";

/** What is known of a node at this moment. */
export interface NodeStatus {
  values: Readonly<Record<string, number>>;
  facts: Readonly<Record<string, string>>;
  processes: readonly ProcessReading[];
}

export const nothingKnown: NodeStatus = { values: {}, facts: {}, processes: [] };

const mostValues = 2000;
const largest = 1e18;

/** Why a message cannot be believed; undefined: it can. Nodes may be broken, or lie. */
function faultOf(message: StatusMessage): string | undefined {
  const values = Object.values(message.values);
  if (values.length > mostValues) return `more than ${mostValues} values`;
  if (values.some((v) => v !== null && !(typeof v === "number" && Math.abs(v) <= largest))) return "a value that no machine has";
  return undefined;
}

function merged<T>(old: Readonly<Record<string, T>>, changes: Readonly<Record<string, T | null>>): Record<string, T> {
  const result = { ...old };
  for (const [key, value] of Object.entries(changes)) {
    if (value === null) delete result[key];
    else result[key] = value;
  }
  return result;
}

/** What is known after a message, or what is wrong with it. */
export function applied(known: NodeStatus, message: StatusMessage): NodeStatus | string {
  const fault = faultOf(message);
  if (fault !== undefined) return fault;
  const old = message.whole ? nothingKnown : known;
  const values = merged(old.values, message.values);
  if (Object.keys(values).length > mostValues) return `more than ${mostValues} values`;
  return {
    values,
    facts: message.facts === undefined ? old.facts : merged(old.facts, message.facts),
    processes: message.processes ?? old.processes,
  };
}

/** "cpu.busy" of "cpu.busy[0]". */
export const metricOf = (key: string) => key.split("[", 1)[0]!;

/** "0" of "cpu.busy[0]"; undefined for the whole machine. */
export const partOf = (key: string) => (key.endsWith("]") ? key.slice(key.indexOf("[") + 1, -1) : undefined);

/** The parts of a machine that have a value of this metric, in the order of people. */
export function partsOf(values: Readonly<Record<string, number>>, metric: string): [string, number][] {
  return Object.entries(values)
    .filter(([key]) => key.startsWith(`${metric}[`))
    .map(([key, value]): [string, number] => [partOf(key) ?? "", value])
    .sort(([a], [b]) => a.localeCompare(b, "en", { numeric: true }));
}
