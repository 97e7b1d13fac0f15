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
        <span>Users who are logged in on them</span>
        <select value={grace} onChange={(e) => onChange({ grace: Number(e.currentTarget.value) })}>
          <option value={0}>are not warned</option>
          <option value={60}>are warned, and have 1 minute</option>
          <option value={300}>are warned, and have 5 minutes</option>
          <option value={900}>are warned, and have 15 minutes</option>
        </select>
      </label>
      {grace > 0 && (
        <label class="field">
          <span>What they are told besides</span>
          <input type="text" maxLength={500} value={message} onInput={(e) => onChange({ message: e.currentTarget.value })} />
        </label>
      )}
    </>
  );
}
