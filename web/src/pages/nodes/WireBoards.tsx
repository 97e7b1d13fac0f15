import { useEffect, useRef } from "preact/hooks";
import type { BoardView } from "../../api/types";
import { Ago } from "../../components/Ago";
import { boardTitle } from "../../lib/boot";
import { now, readBoards } from "../../state/store";
import { SeverityBadge } from "../node/Boot";

const lookMilliseconds = 10_000;

/** Boards that ask to be booted and have not introduced themselves. */
export function WireBoards({ boards }: { boards: readonly BoardView[] }) {
  const tick = boards.length === 0 ? 0 : Math.floor(now.value / lookMilliseconds);
  const first = useRef(tick);
  useEffect(() => {
    if (tick !== 0 && tick !== first.current) void readBoards();
  }, [tick]);
  if (boards.length === 0) return null;
  return (
    <section class="card" aria-label="Booting, not enrolled">
      <h2>Booting, not enrolled</h2>
      <p class="dim">These boards ask to be booted from the network and have not introduced themselves yet.</p>
      <ul class="findings">
        {boards.map((b) => (
          <li key={b.mac}>
            <SeverityBadge severity={b.severity} />
            <div>
              <p>
                <a class="name" href={`/boards/${b.mac}`}>
                  {b.mac}
                </a>{" "}
                {boardTitle(b)}{" "}
                <span class="dim">
                  {b.serial !== undefined && `serial ${b.serial}, `}
                  <Ago at={b.lastSeen} />
                </span>
              </p>
              <p class="dim">{b.headline}</p>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
