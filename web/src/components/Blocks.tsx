import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

/** Rows that come and go together. */
const blockRows = 20;

/** Blocks this near to what is to be seen are there already. */
const margin = "400px 0px";

/** Until the first block was measured. */
const guessedRowPixels = 40;

interface Props {
  count: number;
  children: (index: number) => ComponentChildren;
}

/** Many rows, of which only those are in the document that are to be seen or nearly: a thousand cost what a hundred do. */
export function Blocks({ count, children }: Props) {
  const rowPixels = useRef(guessedRowPixels);
  return (
    <>
      {Array.from({ length: Math.ceil(count / blockRows) }, (_, i) => (
        <Block key={i} first={i * blockRows} end={Math.min(count, (i + 1) * blockRows)} rowPixels={rowPixels}>
          {children}
        </Block>
      ))}
    </>
  );
}

interface BlockProps {
  first: number;
  end: number;
  /** What a row takes on average; found by blocks that are there, for those that are not. */
  rowPixels: { current: number };
  children: (index: number) => ComponentChildren;
}

function Block({ first, end, rowPixels, children }: BlockProps) {
  const [near, setNear] = useState(first === 0);
  const box = useRef<HTMLDivElement>(null);
  const rows = end - first;

  useEffect(() => {
    const element = box.current!;
    const observer = new IntersectionObserver(
      // Who has the focus keeps it, however far the page is scrolled.
      (seen) => setNear(seen.at(-1)!.isIntersecting || element.contains(document.activeElement)),
      { rootMargin: margin },
    );
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (near && rows > 0) rowPixels.current = box.current!.offsetHeight / rows;
  });

  return (
    <div ref={box} class="block" role="rowgroup" style={near ? undefined : { height: `${rows * rowPixels.current}px` }}>
      {near && Array.from({ length: rows }, (_, i) => children(first + i))}
    </div>
  );
}
