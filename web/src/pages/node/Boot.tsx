import { api } from "../../api/client";
import type { BoardView, Conversation, Finding, Severity } from "../../api/types";
import { Ago } from "../../components/Ago";
import { Badge, type Tone } from "../../components/Badge";
import type { IconName } from "../../components/Icon";
import { useRead } from "../../components/useRead";
import { bootTime, eventLine } from "../../lib/boot";
import { now } from "../../state/store";
import { BootSetOffer } from "./BootSetOffer";

const looks: Record<Severity, [IconName, Tone, string]> = {
  good: ["ok", "good", "Good"],
  notice: ["wait", "busy", "Notice"],
  warning: ["warn", "warn", "Warning"],
  fault: ["fail", "bad", "Fault"],
};

export function SeverityBadge({ severity }: { severity: Severity }) {
  const [icon, tone, text] = looks[severity];
  return <Badge icon={icon} tone={tone} text={text} />;
}

// Some findings come by time alone: that nothing was heard for too long.
const lookMilliseconds = 10_000;
const shownBoots = 5;

/** A board's last boots: what they show, in words, and what happened. */
export function BootPart({ board }: { board: BoardView }) {
  const tick = Math.floor(now.value / lookMilliseconds);
  const { value: boots, error } = useRead(() => api.conversations(board.mac), [board, tick]);
  const [newest, ...older] = boots ?? [];
  return (
    <section class="card" aria-label="Boot">
      <h2>Boot</h2>
      {error !== "" && (
        <p class="bad-text" role="alert">
          {error}
        </p>
      )}
      {newest === undefined ? (
        <p class="dim">{boots === undefined ? "Reading …" : "No boot is kept."}</p>
      ) : (
        <>
          <Findings findings={newest.findings} />
          <Timeline boot={newest} open />
          {older.slice(0, shownBoots - 1).map((boot) => (
            <Timeline key={boot.startedAt} boot={boot} />
          ))}
        </>
      )}
    </section>
  );
}

function Findings({ findings }: { findings: Finding[] }) {
  return (
    <ul class="findings" aria-label="Findings">
      {findings.map((f) => (
        <li key={f.rule}>
          <SeverityBadge severity={f.severity} />
          <div>
            <p>{f.cause}</p>
            <p class="dim">{f.evidence}</p>
            {f.change !== undefined && <p>{f.change}</p>}
            {f.rule === "needs-boot-set" && <BootSetOffer />}
          </div>
        </li>
      ))}
    </ul>
  );
}

function Timeline({ boot, open }: { boot: Conversation; open?: boolean }) {
  return (
    <details class="boot" open={open}>
      <summary>
        <Ago at={boot.startedAt} /> <span class="dim">{open ? "" : boot.findings[0]?.cause}</span>
      </summary>
      <ol aria-label="Timeline">
        {boot.events.map((e, i) => {
          const { text, trouble } = eventLine(e);
          const took = e.count === 1 && e.until - e.at >= 100 ? bootTime(e.until - e.at) : "";
          return (
            <li key={i} class={trouble ? "bad-text" : undefined}>
              <span class="dim number">{bootTime(e.at - boot.startedAt)}</span>
              <span class="what">{text}</span>
              <span class="dim number">{took}</span>
            </li>
          );
        })}
      </ol>
      {boot.dropped > 0 && <p class="dim">{boot.dropped} more lines were too many to be kept.</p>}
    </details>
  );
}
