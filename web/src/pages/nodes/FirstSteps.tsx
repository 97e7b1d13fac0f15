import { computed } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { api } from "../../api/client";
import type { Dhcp } from "../../api/types";
import { Icon } from "../../components/Icon";
import { useRead } from "../../components/useRead";
import { count } from "../../lib/format";
import { me } from "../../state/session";
import { images, nodes, unapproved, wireBoards } from "../../state/store";

/** True until there is something to install, and something to install it on. */
export const isFirstRun = () => images.value.length === 0 || nodes.value.length === 0;

/** Boards that were heard, whatever has become of them. */
const plugged = computed(() => nodes.value.length + unapproved.value.length + wireBoards.value.length);

/** What there is to do on a new appliance, in its order. What is done is ticked; when there are images and nodes, all of it is gone. */
export function FirstSteps() {
  const { value: dhcp } = useRead(api.dhcp);
  return (
    <section class="card first-steps" aria-label="First steps">
      <h2>First steps</h2>
      <ol>
        <Step done={images.value.length > 0} title="Add an image">
          Raspberry Pi OS or Debian as they are downloaded: <a href="/images">upload one</a>. There is no need to unpack it.
        </Step>
        <Step done={dhcp?.running === true} title="Let boards find this appliance">
          {dhcp && dhcpWords(dhcp)} <a href="/settings/network">Network boot</a>
        </Step>
        <Step done={plugged.value > 0} title="Plug a board in">
          {plugged.value > 0 && nodes.value.length === 0
            ? `${count(plugged.value, "board")} ${plugged.value === 1 ? "is" : "are"} here, below: approve the key that each shows.`
            : "It appears here a few seconds after it starts: approve the key that it shows."}{" "}
          Nothing is written to its disk before you say so.
        </Step>
        <Step done={me.value?.hasPassword === true} title="Set a password">
          So far you sign in by link alone: <a href="/settings/you">set a password</a> to sign in on any browser.
        </Step>
      </ol>
    </section>
  );
}

function dhcpWords({ running, fault, settings, interfaces }: Dhcp): string {
  if (settings.mode === "off") return "DHCP is off here: your own DHCP server has to lead boards to this appliance.";
  if (!running) return `DHCP does not run: ${fault ?? "it was not started"}.`;
  const where = `on ${interfaces.join(", ")}`;
  return settings.mode === "proxy"
    ? `DHCP runs beside your own server ${where}: that gives the addresses, this appliance the boot files.`
    : `DHCP runs ${where} and gives the addresses, too.`;
}

function Step({ done, title, children }: { done: boolean; title: string; children: ComponentChildren }) {
  return (
    <li class={done ? "done" : ""}>
      <Icon name={done ? "ok" : "mark"} />
      <div>
        <strong>{title}</strong>
        {done && <span class="spoken"> (done)</span>}
        <p class="dim">{children}</p>
      </div>
    </li>
  );
}
