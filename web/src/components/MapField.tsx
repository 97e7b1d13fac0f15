import { useState } from "preact/hooks";

interface Props {
  /** Of the whole. */
  label: string;
  values: Readonly<Record<string, string>>;
  onChange: (values: Record<string, string>) => void;
}

/** Names with a text each: changed, removed, added. */
export function MapField({ label, values, onChange }: Props) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");

  function add(): void {
    onChange({ ...values, [name.trim()]: value });
    setName("");
    setValue("");
  }

  function addByEnter(e: KeyboardEvent): void {
    if (e.key !== "Enter" || name.trim() === "") return;
    e.preventDefault(); // the form is not sent
    add();
  }

  return (
    <fieldset class="map" aria-label={label}>
      {Object.entries(values).map(([key, text]) => (
        <div class="map-row" key={key}>
          <code>{key}</code>
          <input
            type="text"
            aria-label={`Value of ${key}`}
            value={text}
            onInput={(e) => onChange({ ...values, [key]: e.currentTarget.value })}
          />
          <button
            type="button"
            class="small"
            aria-label={`Remove ${key}`}
            onClick={() => onChange(Object.fromEntries(Object.entries(values).filter(([k]) => k !== key)))}
          >
            Remove
          </button>
        </div>
      ))}
      <div class="map-row">
        <input
          type="text"
          aria-label="Name of a new value"
          placeholder="name"
          spellcheck={false}
          autoCapitalize="off"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <input
          type="text"
          aria-label="Its value"
          placeholder="value"
          value={value}
          onInput={(e) => setValue(e.currentTarget.value)}
          onKeyDown={addByEnter}
        />
        <button type="button" class="small" disabled={name.trim() === ""} onClick={add}>
          Add
        </button>
      </div>
    </fieldset>
  );
}
