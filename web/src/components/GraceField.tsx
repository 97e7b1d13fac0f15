interface Props {
  /** Seconds. */
  grace: number;
  message: string;
  onChange: (change: { grace?: number; message?: string }) => void;
}

/** Whether people who are logged in on a node are warned, and with how much time. */
export function GraceField({ grace, message, onChange }: Props) {
  return (
    <>
      <label class="field">
        <span>Warn logged-in users</span>
        <select value={grace} onChange={(e) => onChange({ grace: Number(e.currentTarget.value) })}>
          <option value={0}>no</option>
          <option value={60}>yes, 1 minute before</option>
          <option value={300}>yes, 5 minutes before</option>
          <option value={900}>yes, 15 minutes before</option>
        </select>
      </label>
      {grace > 0 && (
        <label class="field">
          <span>Message to them (optional)</span>
          <input type="text" maxLength={500} value={message} onInput={(e) => onChange({ message: e.currentTarget.value })} />
        </label>
      )}
    </>
  );
}
