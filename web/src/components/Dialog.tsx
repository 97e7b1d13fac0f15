import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { Icon } from "./Icon";

/** A modal dialog. The browser keeps the focus inside and closes it with Escape; where the focus was, it goes back to. */
export function Dialog({ title, onClose, children }: { title: string; onClose: () => void; children: ComponentChildren }) {
  const element = useRef<HTMLDialogElement>(null);
  const gone = useRef(false);
  useLayoutEffect(() => {
    const opener = document.activeElement as HTMLElement | null;
    const dialog = element.current!;
    dialog.showModal();
    return () => {
      gone.current = true;
      dialog.close(); // nothing behind it takes the focus while it is open
      if (opener?.isConnected && opener !== document.body) opener.focus();
      else document.querySelector("main")?.focus();
    };
  }, []);
  return (
    <dialog
      ref={element}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        // Escape. Told at once, it has gone before the next key, which may open it again. (A file that was not chosen is told so, too.)
        if (e.target !== element.current) return;
        e.preventDefault();
        onClose();
      }}
      onClose={() => {
        // The browser tells it late: by then another one may be open in this one's place.
        if (!gone.current) onClose();
      }}
    >
      <header>
        <h2 id="dialog-title">{title}</h2>
        <button type="button" class="plain" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </header>
      {children}
    </dialog>
  );
}
