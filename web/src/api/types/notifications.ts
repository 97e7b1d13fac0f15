/** What can be told. */
export type NoticeKind = "job-ended" | "job-failing" | "new-board" | "backup-failed" | "alert-started" | "alert-ended";

/** A program that is told by HTTP POST, signed as Standard Webhooks says. */
export interface Webhook {
  name: string;
  url: string;
  events: NoticeKind[];
  /** Write-only; one that was made just now is in that answer alone. */
  secret?: string;
  secretSet?: boolean;
}

export interface MailNotification {
  host: string;
  port: number;
  security: "start-tls" | "tls" | "none";
  from: string;
  to: string[];
  events: NoticeKind[];
  /** Absent: the server asks for none. */
  user?: string;
  /** Write-only. */
  password?: string;
  passwordSet?: boolean;
}

export interface NotificationSettings {
  webhooks: Webhook[];
  /** Absent: nobody is told by e-mail. */
  mail?: MailNotification;
}

/** How it goes with one target. */
export interface TargetState {
  target: string;
  /** Notices that have not arrived yet. */
  waiting: number;
  /** Why the last attempt failed; empty: nothing is known against it. */
  error: string;
}

export interface Notifications {
  settings: NotificationSettings;
  waiting: TargetState[];
}
