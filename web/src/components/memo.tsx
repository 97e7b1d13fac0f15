import { Component, type ComponentType, type VNode } from "preact";

/** Draws a component again only when one of its properties is another: most rows of a table stay as they are. */
export function memo<P extends object>(Inner: (props: P) => VNode | null): ComponentType<P> {
  return class extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const before = this.props as Record<string, unknown>;
      const after = next as Record<string, unknown>;
      return Object.keys({ ...before, ...after }).some((key) => before[key] !== after[key]);
    }

    override render() {
      return <Inner {...(this.props as P)} />;
    }
  };
}
