import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";

/** A part of a form that is closed while there is nothing in it; it opens by itself when something in it needs to be looked at. */
export function Section({ title, open, children }: { title: string; open: boolean; children: ComponentChildren }) {
  const [isOpen, setOpen] = useState(open);
  useEffect(() => {
    if (open) setOpen(true);
  }, [open]);
  return (
    <details class="card section" open={isOpen} onToggle={(e) => setOpen(e.currentTarget.open)}>
      <summary>
        <h2>{title}</h2>
      </summary>
      {children}
    </details>
  );
}
