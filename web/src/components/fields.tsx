import { type ComponentChildren, createContext } from "preact";
import { useContext, useId, useState } from "preact/hooks";
import type { ProfileFault } from "../api/types";
import { linesOf } from "../lib/lines";
import { words } from "../lib/packages";
import { at } from "../lib/places";

/** What is edited, for the fields of a form. */
export interface Editing {
  whole: object;
  /** Puts something at a place: `users[0].name`. */
  set: (place: string, value: unknown) => void;
  /** What the appliance said of it the last time, by place. */
  faults: readonly ProfileFault[];
}

export const EditingContext = createContext<Editing>({ whole: {}, set: () => undefined, faults: [] });

/** What is wrong at a place or within it. */
export const faultsAt = (faults: readonly ProfileFault[], place: string) =>
  faults.filter((f) => f.place === place || f.place.startsWith(`${place}[`) || f.place.startsWith(`${place}.`));

interface FieldProps {
  place: string;
  label: string;
  placeholder?: string;
}

/** A control with its name above it and what is wrong with it below. */
function Labelled({ place, label, children }: { place: string; label: string; children: (attributes: object) => ComponentChildren }) {
  const faults = faultsAt(useContext(EditingContext).faults, place);
  const id = useId();
  return (
    <div>
      <label class="field">
        <span>{label}</span>
        {children(faults.length === 0 ? {} : { "aria-invalid": true, "aria-describedby": id })}
      </label>
      {faults.length > 0 && (
        <small class="bad-text" id={id}>
          {faults.map((f) => `${f.reason}.`).join(" ")}
        </small>
      )}
    </div>
  );
}

/** @param rows More than one line. */
export function TextField({ place, label, placeholder, rows, list }: FieldProps & { rows?: number; list?: string }) {
  const { whole, set } = useContext(EditingContext);
  const props = { value: (at(whole, place) as string | undefined) ?? "", placeholder, spellcheck: false, autoCapitalize: "off" as const };
  return (
    <Labelled place={place} label={label}>
      {(attributes) =>
        rows === undefined ? (
          <input
            type="text"
            {...attributes}
            {...props}
            {...(list !== undefined && { list })}
            onInput={(e) => set(place, e.currentTarget.value)}
          />
        ) : (
          <textarea rows={rows} {...attributes} {...props} onInput={(e) => set(place, e.currentTarget.value)} />
        )
      }
    </Labelled>
  );
}

/** Several texts: one a line, or in one line apart by blanks. */
export function ListField({ place, label, placeholder, rows }: FieldProps & { rows?: number }) {
  const { whole, set } = useContext(EditingContext);
  const [text, setText] = useState(((at(whole, place) as string[] | undefined) ?? []).join(rows === undefined ? " " : "\n"));
  const props = { value: text, placeholder, spellcheck: false, autoCapitalize: "off" as const };
  function typed(typed: string): void {
    setText(typed);
    set(place, rows === undefined ? words(typed) : linesOf(typed));
  }
  return (
    <Labelled place={place} label={label}>
      {(attributes) =>
        rows === undefined ? (
          <input type="text" {...attributes} {...props} onInput={(e) => typed(e.currentTarget.value)} />
        ) : (
          <textarea rows={rows} {...attributes} {...props} onInput={(e) => typed(e.currentTarget.value)} />
        )
      }
    </Labelled>
  );
}

export function CheckField({ place, label }: FieldProps) {
  const { whole, set } = useContext(EditingContext);
  return (
    <label class="choice">
      <input type="checkbox" checked={at(whole, place) === true} onChange={(e) => set(place, e.currentTarget.checked)} />
      <span>{label}</span>
    </label>
  );
}

/**
 * A secret that is never shown: it stays, is replaced, or is forgotten.
 * @param stays It cannot be forgotten.
 */
export function SecretField({ place, label, isSet, stays, placeholder }: FieldProps & { isSet: boolean; stays?: boolean }) {
  const { whole, set } = useContext(EditingContext);
  const [replacing, setReplacing] = useState(false);
  const value = at(whole, place) as string | undefined;
  const button = (words: string, onClick: () => void) => (
    <button type="button" class="small" aria-label={`${words}: ${label}`} onClick={onClick}>
      {words}
    </button>
  );
  if (isSet && !replacing) {
    return (
      <p class="secret-set">
        {value === "" ? (
          <>
            {label} will be forgotten. {button("Keep", () => set(place, undefined))}
          </>
        ) : (
          <>
            {label} is set. {button("Replace", () => setReplacing(true))} {!stays && button("Forget", () => set(place, ""))}
          </>
        )}
      </p>
    );
  }
  return (
    <div class="secret-set">
      <Labelled place={place} label={label}>
        {(attributes) => (
          <input
            type="password"
            autoComplete="new-password"
            placeholder={placeholder}
            value={value ?? ""}
            {...attributes}
            onInput={(e) => set(place, e.currentTarget.value === "" ? undefined : e.currentTarget.value)}
          />
        )}
      </Labelled>
      {isSet &&
        button("Keep the present one", () => {
          set(place, undefined);
          setReplacing(false);
        })}
    </div>
  );
}

interface RepeatedProps {
  /** Of the list. */
  place: string;
  /** "user" */
  one: string;
  /** What a new one begins as. */
  empty: object;
  children: (place: string) => ComponentChildren;
}

/** Fields that come several times. */
export function Repeated({ place, one, empty, children }: RepeatedProps) {
  const { whole, set } = useContext(EditingContext);
  const list = at(whole, place) as object[];
  // Rows are told apart by their number: one that is removed takes the typed texts of its own with it.
  const [keys, setKeys] = useState(() => list.map((_, i) => i));
  return (
    <>
      {list.map((_, i) => (
        <fieldset class="group" key={keys[i]} aria-label={`${one} ${i + 1}`}>
          {children(`${place}[${i}]`)}
          <button
            type="button"
            class="small"
            aria-label={`Remove ${one} ${i + 1}`}
            onClick={() => {
              setKeys(keys.filter((_, k) => k !== i));
              set(
                place,
                list.filter((_, k) => k !== i),
              );
            }}
          >
            Remove
          </button>
        </fieldset>
      ))}
      <button
        type="button"
        onClick={() => {
          setKeys([...keys, Math.max(-1, ...keys) + 1]);
          set(place, [...list, empty]);
        }}
      >
        Add a {one}
      </button>
    </>
  );
}
