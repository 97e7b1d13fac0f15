import { expect, test } from "vitest";
import { words } from "../src/lib/packages";
import { installPhases, parameterWords } from "../src/lib/words";

test("packages are separated by spaces, commas and line ends", () => {
  expect(words(" curl, git\n\nvim ")).toEqual(["curl", "git", "vim"]);
  expect(words("  ")).toEqual([]);
});

test("a job's title tells what it runs, cut where it is long", () => {
  expect(parameterWords({ kind: "run", parameters: { command: ["ls", "-l"] } })).toBe("ls -l");
  expect(parameterWords({ kind: "run", parameters: { shell: "x".repeat(100) } })).toBe(`${"x".repeat(59)}…`);
  expect(parameterWords({ kind: "update", parameters: { packages: ["curl"] } })).toBe("curl");
  expect(parameterWords({ kind: "update", parameters: {} })).toBe("");
  expect(parameterWords({ kind: "reboot", parameters: { graceSeconds: 60 } })).toBe("");
});

test("the steps of an installation are those that it has, and the present one always", () => {
  const usual = ["checking", "writing", "verifying", "configuring", "starting"];
  expect(installPhases({ parameters: {} }, "writing")).toEqual(usual);
  expect(installPhases(undefined, "writing")).toEqual(usual);
  expect(installPhases({ parameters: { profile: "classroom" } }, "writing")).toEqual([...usual, "first-boot"]);
  expect(installPhases({ parameters: { update: true } }, "checking")).toEqual(["checking", "keeping", ...usual.slice(1)]);
  expect(installPhases({ parameters: { testCard: true } }, "checking")).toEqual(["checking", "testing", ...usual.slice(1)]);
  expect(installPhases({ parameters: {} }, "staging")).toEqual(["staging", ...usual]);
  expect(installPhases(undefined, "first-boot")).toEqual([...usual, "first-boot"]);
});
