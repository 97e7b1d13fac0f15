/** When backups are made by themselves, and how many are kept. */
export interface BackupPlan {
  /** Five fields; absent: none is made by itself. */
  cron?: string;
  /** IANA name of the line's time zone. */
  zone: string;
  /** So many stay, the newest. */
  keep: number;
  /** With the images' bytes. */
  images: boolean;
  /** Write-only. */
  passphrase?: string;
  passphraseSet?: boolean;
}

export interface BackupView {
  name: string;
  sizeBytes: number;
  madeAt: number;
  images: boolean;
}

export interface Backups {
  plan: BackupPlan;
  /** Where they are kept, on the appliance. */
  folder: string;
  backups: BackupView[];
  /** When the next one is made by itself; absent: never. */
  next?: number;
  /** One is being made. */
  running: boolean;
  /** How the last one went; an empty error: well. */
  last?: { at: number; error: string };
}
