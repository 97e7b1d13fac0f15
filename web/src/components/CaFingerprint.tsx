import { api } from "../api/client";
import { useRead } from "./useRead";

/** What people compare before their command line sends anything secret. */
export function CaFingerprint() {
  const { value } = useRead(api.caFingerprint);
  return value === undefined ? null : (
    <p>
      Fingerprint of this appliance's CA (SHA-256), for <code>bootstrap login</code>: <code>{value.sha256}</code>
    </p>
  );
}
