import { useState } from "preact/hooks";
import { Icon } from "./Icon";
import { Notice } from "./Notice";

interface Props {
  /** What it is and what to do with it. */
  children: string;
  secret: string;
  onDone: () => void;
}

/** A secret that the appliance does not show again. */
export function ShownOnce({ children, secret, onDone }: Props) {
  const [copied, setCopied] = useState(false);
  return (
    <Notice tone="good">
      <p>{children} It is shown this once.</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <div class="button-row">
        <button type="button" onClick={() => void navigator.clipboard.writeText(secret).then(() => setCopied(true))}>
          <Icon name="copy" /> {copied ? "Copied" : "Copy"}
        </button>
        <button type="button" onClick={onDone}>
          Done
        </button>
      </div>
    </Notice>
  );
}
