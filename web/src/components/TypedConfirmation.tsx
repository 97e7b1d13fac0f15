interface Props {
  /** What must be typed: so many nodes lose their disks. */
  count: number;
  /** What people have there stays; else nothing does. */
  keeps?: boolean;
  /** So many of them lose the slot alone that is not in use. */
  slots?: number;
  typed: string;
  onType: (typed: string) => void;
}

/** Asks for the number of nodes to be typed, as the command line does. */
export function TypedConfirmation({ count, keeps = false, slots = 0, typed, onType }: Props) {
  const erased = count - slots;
  const disks = count === 1 ? "that disk" : slots > 0 ? `${erased} of those disks` : `those ${count} disks`;
  return (
    <label class="field">
      <span>
        {erased > 0 && `Everything ${keeps ? "but what is kept " : ""}on ${disks} will be lost. `}
        {slots > 0 && `The slot that is not in use will be written on ${slots === 1 ? "one disk" : `${slots} disks`}. `}To go on, type the
        number of nodes: <strong class="type-this">{count}</strong>
      </span>
      <input
        type="text"
        inputMode="numeric"
        autoComplete="off"
        value={typed}
        onInput={(e) => onType(e.currentTarget.value)}
        aria-label={`Type ${count} to confirm`}
      />
    </label>
  );
}
