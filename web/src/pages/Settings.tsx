import type { FunctionComponent } from "preact";
import type { Role } from "../api/types";
import { refusal } from "../components/Allowed";
import { Empty } from "../components/Notice";
import { may } from "../state/session";
import { AlertsPart } from "./settings/Alerts";
import { AppliancePart } from "./settings/Appliance";
import { AuditPart } from "./settings/Audit";
import { BackupsPart } from "./settings/Backups";
import { BoardsPart } from "./settings/Boards";
import { BootSetsCard } from "./settings/BootSets";
import { DhcpCard } from "./settings/Dhcp";
import { NotificationsPart } from "./settings/Notifications";
import { PeoplePart } from "./settings/People";
import { ProfilesPart } from "./settings/Profiles";
import { TokensPart } from "./settings/Tokens";
import { ValuesPart } from "./settings/Values";
import { YouPart } from "./settings/You";

interface Part {
  id: string;
  title: string;
  /** Those below do not get to see it. */
  role?: Role;
  /** Shows it; with the name of the one thing that the address names. */
  Show: FunctionComponent<{ name?: string }>;
}

const parts: readonly Part[] = [
  { id: "you", title: "You", Show: YouPart },
  { id: "users", title: "Users", role: "admin", Show: PeoplePart },
  { id: "tokens", title: "Tokens", Show: TokensPart },
  { id: "profiles", title: "Profiles", Show: ProfilesPart },
  { id: "values", title: "Values", Show: ValuesPart },
  { id: "boards", title: "New boards", Show: BoardsPart },
  { id: "alerts", title: "Alerts", Show: AlertsPart },
  { id: "notifications", title: "Notifications", role: "admin", Show: NotificationsPart },
  { id: "backups", title: "Backups", role: "admin", Show: BackupsPart },
  { id: "network", title: "Network boot", Show: DhcpCard },
  { id: "boot-sets", title: "Boot sets", Show: BootSetsCard },
  { id: "audit", title: "Audit log", role: "admin", Show: AuditPart },
  { id: "appliance", title: "Appliance", Show: AppliancePart },
];

/** The settings, each part with an address: `/settings/network`. */
export function SettingsPage({ part: id = "you", name }: { part?: string; name?: string | undefined }) {
  const part = parts.find((p) => p.id === id);
  return (
    <>
      <div class="page-head">
        <h1>Settings</h1>
      </div>
      <div class="settings">
        <nav aria-label="Settings">
          {parts
            .filter((p) => p.role === undefined || may(p.role))
            .map((p) => (
              <a href={`/settings/${p.id}`} key={p.id} aria-current={p.id === id ? "page" : undefined}>
                {p.title}
              </a>
            ))}
        </nav>
        <div class="settings-part">
          {part === undefined ? (
            <Empty title="There are no such settings" />
          ) : part.role !== undefined && !may(part.role) ? (
            <p>{refusal(part.role, part.title)}</p>
          ) : (
            <part.Show key={part.id} {...(name !== undefined && { name })} />
          )}
        </div>
      </div>
    </>
  );
}
