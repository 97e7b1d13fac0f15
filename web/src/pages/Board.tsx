import { Ago } from "../components/Ago";
import { Facts } from "../components/Facts";
import { Empty } from "../components/Notice";
import { boardTitle } from "../lib/boot";
import { snapshot } from "../state/store";
import { BootPart } from "./node/Boot";

/** A board that was seen on the wire and is no node yet. */
export function BoardPage({ mac }: { mac: string }) {
  const board = snapshot.value.boards.get(mac);
  if (board === undefined) {
    return (
      <Empty title={`No board '${mac}' was seen`}>
        <p>
          <a href="/nodes">All nodes</a>
        </p>
      </Empty>
    );
  }
  const node = board.node === undefined ? undefined : snapshot.value.nodes.get(board.node);
  return (
    <>
      <p class="crumbs">
        <a href="/nodes">Nodes</a> /
      </p>
      <h1>{board.mac}</h1>
      {node !== undefined && (
        <p>
          This board is the node <a href={`/nodes/${node.id}`}>{node.name}</a>.
        </p>
      )}
      <section class="card">
        <h2>Booting, not enrolled</h2>
        <Facts
          facts={[
            ["Model", boardTitle(board)],
            ["Asks", board.program],
            ["Serial", board.serial],
            ["EEPROM", board.eeprom],
            ["UUID", board.uuid],
            ["Address", board.address],
            ["Interface", board.interface],
            ["Last file", board.asksFor],
            ["First seen", <Ago at={board.firstSeen} />],
            ["Last seen", <Ago at={board.lastSeen} />],
          ]}
        />
      </section>
      <BootPart board={board} />
    </>
  );
}
