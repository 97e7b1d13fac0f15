import type { Profile, ProfileFile, ProfileNetwork, ProfileUser } from "../api/types";
import { count } from "./format";

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

/** What a profile does, in few words. */
export function partsOf(profile: Profile): string {
  const parts = [
    profile.users.length > 0 && count(profile.users.length, "user"),
    profile.wifi && "Wi-Fi",
    profile.networks.length > 0 && "addresses",
    profile.packages.length > 0 && count(profile.packages.length, "package"),
    profile.files.length > 0 && count(profile.files.length, "file"),
    profile.firstBootScript !== "" && "a script",
    profile.cloudInit !== "" && "cloud-init",
  ].filter((part) => typeof part === "string");
  return parts.length === 0 ? "changes nothing yet" : parts.join(", ");
}
