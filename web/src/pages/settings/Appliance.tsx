import { useEffect, useState } from "preact/hooks";
import { api } from "../../api/client";
import type { Status } from "../../api/types";
import { CaFingerprint } from "../../components/CaFingerprint";
import { Notice } from "../../components/Notice";
import { useAction } from "../../components/useAction";
import { malformedLines } from "../../lib/malformed";

/** The appliance itself: its version, its certificate, and what the network sent that was no message at all. */
export function AppliancePart() {
  const [status, setStatus] = useState<Status>();
  const { error, run } = useAction();
  useEffect(() => void run(async () => setStatus(await api.status())), []);
  return (
    <section class="card">
      <h2>Appliance</h2>
      {error !== "" && <Notice tone="bad">{error}</Notice>}
      {status && <p>Bootstrap {status.version}</p>}
      <h3>Certificate</h3>
      <p>
        This appliance made its own certificate authority. To end your browser's warning, <a href="/api/v1/ca" download="bootstrap-ca.pem">download its
        certificate</a> and add it to the authorities that your browser trusts.
      </p>
      <CaFingerprint />
      {malformedLines(status?.malformed ?? {}).map((line) => (
        <p class="dim" key={line}>
          {line}
        </p>
      ))}
    </section>
  );
}
