import { expect, test } from "vitest";
import { at, withAt } from "../src/lib/places";
import { emptyProfile, emptyUser, sent } from "../src/lib/profile";

const profile = { ...emptyProfile, name: "lab", users: [{ ...emptyUser, name: "ada", keys: ["a", "b"] }] };

test("a place is read and put as the appliance names it", () => {
  expect(at(profile, "users[0].keys[1]")).toBe("b");
  expect(at(profile, "wifi.ssid")).toBeUndefined();
  const changed = withAt(withAt(profile, "users[0].name", "bob"), "wifi.ssid", "School");
  expect(changed.users[0]).toEqual({ ...emptyUser, name: "bob", keys: ["a", "b"] });
  expect(changed.wifi?.ssid).toBe("School");
  expect(profile.users[0]!.name).toBe("ada");
  expect(changed.networks).toBe(profile.networks);
});

test("parts whose first field is empty are not sent, and secrets that were not typed neither", () => {
  const edited = withAt(withAt(withAt(profile, "wifi.hidden", true), "keyboard.layout", "de"), "users[0].passwordHash", undefined);
  const body = JSON.parse(JSON.stringify(sent(edited))) as Record<string, unknown>;
  expect(body).not.toHaveProperty("wifi");
  expect(body.keyboard).toEqual({ layout: "de" });
  expect((body.users as object[])[0]).not.toHaveProperty("passwordHash");
  expect(sent(withAt(profile, "wifi.ssid", "School")).wifi).toEqual({ ssid: "School", country: "" });
});
