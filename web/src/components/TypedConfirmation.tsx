interface Props {
  /** What must be typed: so many nodes lose their disks. */
  count: number;
  /** What people have there stays; else nothing does. */
  keeps?: boolean;
  typed: string;
  onType: (typed: string) => void;
}

/** Asks for the number of nodes to be typed, as the command line does. */
export function TypedConfirmation({ count, keeps = false, typed, onType }: Props) {
  return (
    <label class="field">
      <span>
        Everything {keeps && "but what is kept "}on {count === 1 ? "that disk" : `those ${count} disks`} will be lost. To go on, type the number of nodes:{" "}
        <strong class="type-this">{count}</strong>
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
