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
        This appliance made its own certificate authority. To end your browser's warning, and to hear nodes directly instead of by way of
        the appliance,{" "}
        <a href="/api/v1/ca" download="bootstrap-ca.crt">
          download its certificate
        </a>{" "}
        and add it to the authorities that your browser trusts.
      </p>
      <CaFingerprint />
      <InstallCa />
      {malformedLines(status?.malformed ?? {}).map((line) => (
        <p class="dim" key={line}>
          {line}
        </p>
      ))}
    </section>
  );
}

/** Where browsers and systems keep the authorities that they trust. */
const ways = [
  ["Firefox", "Settings, Privacy & Security, View Certificates, Authorities, Import: “This CA can identify websites”"],
  [
    "Chrome, Edge on Linux",
    "Settings, Privacy and security, Security, Manage certificates, Local certificates, Custom: Trusted certificates, Import",
  ],
  ["Windows", "Open the file, Install Certificate, Local Machine, “Trusted Root Certification Authorities”"],
  ["macOS", "Open the file, add it to the System keychain, open it there: Trust, “Always Trust”"],
  ["Android", "Settings, Security, More security settings, Encryption & credentials, Install a certificate, CA certificate"],
  ["iPhone, iPad", "Open the file, install the profile in Settings, then General, About, Certificate Trust Settings"],
] as const;

function InstallCa() {
  return (
    <details>
      <summary>How to add it</summary>
      <dl class="ways">
        {ways.map(([where, how]) => (
          <div key={where}>
            <dt>{where}</dt>
            <dd>{how}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
