import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Dhcp, DhcpMode, DhcpSettings, Lease } from "../../api/types";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { duration } from "../../lib/format";
import { linesOf } from "../../lib/lines";
import { now } from "../../state/store";
import { SettingsForm } from "./SettingsForm";

const modes: readonly [DhcpMode, string, string][] = [
  ["proxy", "Beside your DHCP server", "It gives the addresses; this appliance tells boards alone where their boot files are."],
  [
    "full",
    "The only DHCP server",
    "For an isolated rack: this appliance gives the addresses, too. It refuses where another server answers.",
  ],
  ["off", "Off", "You lead boards here yourself, and nothing is answered."],
];

/** How boards get addresses and find this appliance. */
export function DhcpCard() {
  const [present, setPresent] = useState<Dhcp>();
  const { error, run } = useAction();
  useEffect(() => void run(async () => setPresent(await api.dhcp())), []);
  if (error !== "") return <Notice tone="bad">{error}</Notice>;
  return present ? <DhcpForm present={present} onSaved={setPresent} /> : null;
}

function DhcpForm({ present, onSaved }: { present: Dhcp; onSaved: (saved: Dhcp) => void }) {
  const kept = present.settings;
  const [mode, setMode] = useState(kept.mode);
  const [pools, setPools] = useState(kept.pools.join("\n"));
  const [reservations, setReservations] = useState(kept.reservations.join("\n"));
  const [hours, setHours] = useState(String(kept.leaseMinutes / 60));
  const [besideRivals, setBesideRivals] = useState(kept.besideRivals);
  const wanted: DhcpSettings = {
    mode,
    pools: linesOf(pools),
    reservations: linesOf(reservations),
    leaseMinutes: Math.round(Number(hours) * 60),
    besideRivals,
  };
  const changed = JSON.stringify(wanted) !== JSON.stringify({ ...wanted, ...kept });

  return (
    <SettingsForm
      title="Network boot (DHCP)"
      note={
        present.fixed
          ? "How boards find this appliance. It was set on the command line, where alone it can be changed."
          : "How boards find this appliance when they start from the network."
      }
      changed={changed && !present.fixed}
      done="Saved. It holds from now on."
      onSave={async () => onSaved(await api.setDhcp(wanted))}
    >
      {present.fault !== undefined && <Notice tone="bad">It does not run: {present.fault}.</Notice>}
      {present.running && <p class="dim">It answers on {present.interfaces.join(", ")}.</p>}
      <fieldset disabled={present.fixed} aria-label="DHCP">
        {modes.map(([value, title, what]) => (
          <label class="choice" key={value}>
            <input type="radio" name="dhcp-mode" checked={mode === value} onChange={() => setMode(value)} />
            <span>
              {title}
              <small>{what}</small>
            </span>
          </label>
        ))}
        {mode === "full" && (
          <>
            <label class="field">
              <span>
                Pools: all that is handed out, one subnet a line (",relay" behind one that lies behind a relay); none: the interface's whole
                subnet
              </span>
              <textarea
                rows={2}
                spellcheck={false}
                placeholder="10.9.0.0/24,10.9.0.50-10.9.0.99,router=10.9.0.1"
                value={pools}
                onInput={(e) => setPools(e.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span>Reservations: one a line, for a MAC address or a serial number</span>
              <textarea
                rows={Math.max(2, wanted.reservations.length + 1)}
                spellcheck={false}
                placeholder="10.77.0.20=dc:a6:32:01:36:c2"
                value={reservations}
                onInput={(e) => setReservations(e.currentTarget.value)}
              />
            </label>
            <label class="field">
              <span>Lease time (hours)</span>
              <input type="number" min="0.1" max="720" step="any" value={hours} onInput={(e) => setHours(e.currentTarget.value)} />
            </label>
            <label class="choice">
              <input type="checkbox" checked={besideRivals} onChange={(e) => setBesideRivals(e.currentTarget.checked)} />
              <span>
                Hand out addresses even where another DHCP server answers
                <small>Two servers that do not know of each other give the same address to two machines.</small>
              </span>
            </label>
          </>
        )}
      </fieldset>
      {mode === "full" && present.leases.length > 0 && (
        <Leases
          leases={present.leases}
          reserved={wanted.reservations}
          onReserve={
            present.fixed ? undefined : (lease) => setReservations([...wanted.reservations, `${lease.address}=${lease.mac}`].join("\n"))
          }
        />
      )}
    </SettingsForm>
  );
}

interface LeasesProps {
  leases: readonly Lease[];
  reserved: readonly string[];
  onReserve: ((lease: Lease) => void) | undefined;
}

function Leases({ leases, reserved, onReserve }: LeasesProps) {
  const isReserved = (lease: Lease) => reserved.some((r) => r.startsWith(`${lease.address}=`));
  return (
    <>
      <h3>Leases</h3>
      <ul class="leases" aria-label="Leases">
        {leases.map((lease) => (
          <li key={lease.mac}>
            <code>{lease.address}</code> {lease.node ?? lease.mac} <span class="dim">for {duration(lease.until - now.value)}</span>
            {onReserve && !isReserved(lease) && (
              <button type="button" onClick={() => onReserve(lease)}>
                Reserve {lease.address}
              </button>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}
