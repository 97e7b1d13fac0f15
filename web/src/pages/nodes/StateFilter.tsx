import type { Lifecycle, LinkState, NodeView } from "../../api/types";
import { lifecycleLooks, linkLooks } from "../../components/Badge";
import { Icon, type IconName } from "../../components/Icon";
import { hasTerm, swapTerm } from "../../lib/filter";
import { queryValue, setQueryValue } from "../../lib/router";
import { lifecycleHelp, lifecycleWords, linkHelp, linkWords } from "../../lib/words";

const links: readonly [LinkState, string][] = [
  ["slave", "state:online"],
  ["net-inst", "state:netinst"],
  ["offline", "state:offline"],
];

const lifecycles: readonly [Lifecycle, string][] = [
  ["installed", "state:installed"],
  ["installing", "state:installing"],
  ["new", "state:new"],
  ["unbootable", "state:unbootable"],
];

/** How many nodes are in each state of both axes; each is a filter. */
export function StateFilter({ nodes }: { nodes: readonly NodeView[] }) {
  return (
    <div class="chips">
      <div role="group" aria-label="Whether it is there">
        {links.map(([state, term]) => (
          <Chip
            key={state}
            term={term}
            axis={links}
            icon={linkLooks[state][0]}
            word={linkWords[state]}
            help={linkHelp[state]}
            n={nodes.filter((node) => node.link === state).length}
          />
        ))}
      </div>
      <div role="group" aria-label="What is on its disk">
        {lifecycles.map(([state, term]) => (
          <Chip
            key={state}
            term={term}
            axis={lifecycles}
            icon={lifecycleLooks[state][0]}
            word={lifecycleWords[state]}
            help={lifecycleHelp[state]}
            n={nodes.filter((node) => node.lifecycle === state).length}
          />
        ))}
      </div>
    </div>
  );
}

interface ChipProps {
  term: string;
  /** Only one of these at a time. */
  axis: readonly (readonly [string, string])[];
  icon: IconName;
  word: string;
  help: string;
  n: number;
}

function Chip({ term, axis, icon, word, help, n }: ChipProps) {
  const query = queryValue("q");
  const pressed = hasTerm(query, term);
  return (
    <button
      type="button"
      class={n === 0 ? "chip none" : "chip"}
      aria-pressed={pressed}
      title={help}
      onClick={() =>
        setQueryValue(
          "q",
          swapTerm(
            query,
            axis.map(([, t]) => t),
            pressed ? "" : term,
          ),
        )
      }
    >
      <Icon name={icon} /> {word} <span class="number">{n.toLocaleString("en")}</span>
    </button>
  );
}
