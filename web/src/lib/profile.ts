import type { Profile, ProfileFile, ProfileNetwork, ProfileUser } from "../api/types";

export const emptyUser: ProfileUser = { name: "", fullName: "", groups: [], shell: "", sudo: false, keys: [] };
export const emptyNetwork: ProfileNetwork = { interface: "eth0", address: "", gateway: "", dns: [] };
export const emptyFile: ProfileFile = { path: "", content: "", owner: "root", mode: "0644", template: true };

/** One that changes nothing yet. */
export const emptyProfile: Profile = {
  name: "",
  description: "",
  hostName: "{{ node.name }}",
  users: [],
  locale: "",
  timeZone: "",
  networks: [],
  packages: [],
  files: [],
  firstBootScript: "",
  cloudInit: "",
  keptPaths: ["/home", "/etc/ssh/ssh_host_*", "/etc/machine-id"],
  values: {},
};

/** What is sent of a profile that was edited: without the parts whose first field was left empty. */
export function sent({ wifi, keyboard, ...profile }: Profile): Profile {
  return { ...profile, ...(wifi?.ssid && { wifi: { ...wifi, country: wifi.country ?? "" } }), ...(keyboard?.layout && { keyboard }) };
}
