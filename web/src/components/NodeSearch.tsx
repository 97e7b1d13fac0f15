import { queryValue, setQueryValue } from "../lib/router";
import { Icon } from "./Icon";

/** The field by which a page's nodes are chosen; what stands in it is in the address. */
export function NodeSearch() {
  return (
    <label class="search">
      <Icon name="search" />
      <input
        type="search"
        placeholder="Filter: words, state:offline, tag:front, mark:new"
        aria-label="Filter nodes"
        aria-keyshortcuts="/"
        value={queryValue("q")}
        onInput={(e) => setQueryValue("q", e.currentTarget.value)}
      />
      <kbd aria-hidden="true">/</kbd>
    </label>
  );
}
