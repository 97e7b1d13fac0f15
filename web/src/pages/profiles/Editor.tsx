import { useContext, useEffect, useState } from "preact/hooks";
import { ApiError, api } from "../../api/client";
import type { Profile, ProfileFault } from "../../api/types";
import { Allowed } from "../../components/Allowed";
import { ConfirmDialog } from "../../components/ConfirmDialog";
import { CheckField, EditingContext, faultsAt, ListField, Repeated, SecretField, TextField } from "../../components/fields";
import { MapField } from "../../components/MapField";
import { Notice } from "../../components/Notice";
import { Section } from "../../components/Section";
import { useAction } from "../../components/useAction";
import { withAt } from "../../lib/places";
import { emptyFile, emptyNetwork, emptyUser, sent } from "../../lib/profile";
import { go } from "../../lib/router";
import { nodes } from "../../state/store";
import { ProfilePreviewer } from "./Preview";

const zones = Intl.supportedValuesOf("timeZone");

/** One profile with all of its fields. */
export function ProfileEditor({ kept, isNew, onSaved }: { kept: Profile; isNew: boolean; onSaved: () => Promise<void> }) {
  const [profile, setProfile] = useState(kept);
  const [faults, setFaults] = useState<readonly ProfileFault[]>([]);
  const [saved, setSaved] = useState(false);
  const [previewed, setPreviewed] = useState<Profile | null>(null);
  const [removing, setRemoving] = useState(false);
  const { busy, error, run } = useAction();
  const changed = profile !== kept;
  // What was stored comes back without its secrets.
  useEffect(() => setProfile(kept), [kept]);

  async function save(): Promise<void> {
    try {
      const stored = await api.putProfile(sent(profile));
      setFaults([]);
      setSaved(true);
      if (isNew) go(`/settings/profiles/${encodeURIComponent(stored.name)}`);
      await onSaved();
    } catch (e) {
      setFaults(e instanceof ApiError ? e.faults : []);
      throw e;
    }
  }

  return (
    <EditingContext.Provider
      value={{ whole: profile, set: (place, value) => setProfile((before) => withAt(before, place, value)), faults }}
    >
      <form
        class="profile"
        aria-label="Profile"
        onSubmit={(e) => {
          e.preventDefault();
          setSaved(false);
          void run(save);
        }}
      >
        <Sections profile={profile} isNew={isNew} />
        {error !== "" && <Notice tone="bad">{error}</Notice>}
        {saved && !changed && <Notice tone="good">Saved. It holds for nodes that get their order from now on.</Notice>}
        <div class="button-row">
          <Allowed role="operator" what="Changing profiles">
            <button type="submit" class="primary" disabled={busy || !changed || profile.name === ""}>
              Save
            </button>
            <button type="button" onClick={() => setPreviewed(sent(profile))}>
              Preview
            </button>
            {!isNew && (
              <button type="button" class="end" onClick={() => setRemoving(true)}>
                Delete …
              </button>
            )}
          </Allowed>
        </div>
      </form>
      {previewed && (
        <div class="card">
          <ProfilePreviewer name={previewed.name || "new"} nodes={nodes.value} profile={previewed} />
        </div>
      )}
      {removing && (
        <ConfirmDialog
          title={`Delete profile ${profile.name}?`}
          keep="Keep it"
          confirm="Delete"
          onConfirm={async () => {
            await api.deleteProfile(profile.name);
            go("/settings/profiles");
          }}
          onClose={() => setRemoving(false)}
        >
          <p>Its secrets go with it. Systems that were installed by it stay as they are.</p>
        </ConfirmDialog>
      )}
    </EditingContext.Provider>
  );
}

function Sections({ profile: p, isNew }: { profile: Profile; isNew: boolean }) {
  const { set, faults } = useContext(EditingContext);
  const section = (title: string, filled: boolean, ...places: string[]) => ({
    title,
    open: filled || places.some((place) => faultsAt(faults, place).length > 0),
  });
  return (
    <>
      <Section {...section("Name", true)}>
        {isNew && <TextField place="name" label="Name of the profile" placeholder="classroom" />}
        <TextField place="description" label="Description" />
        <TextField place="hostName" label="Host name of each node" />
        <p class="dim">
          Texts are templates: <code>{"{{ node.name }}"}</code>, <code>{"{{ node.number }}"}</code>, <code>{"{{ value.NAME }}"}</code>. What
          is left empty stays as the image has it.
        </p>
      </Section>
      <Section {...section("Users", p.users.length > 0, "users")}>
        <Repeated place="users" one="user" empty={emptyUser}>
          {(place) => (
            <>
              <div class="pair">
                <TextField place={`${place}.name`} label="Name" />
                <TextField place={`${place}.fullName`} label="Full name" />
              </div>
              <div class="pair">
                <ListField place={`${place}.groups`} label="Groups besides" placeholder="video gpio" />
                <TextField place={`${place}.shell`} label="Shell" placeholder="/bin/bash" />
              </div>
              <CheckField place={`${place}.sudo`} label="May do everything (sudo, without a password)" />
              <ListField place={`${place}.keys`} label="SSH public keys, one a line" rows={2} placeholder="ssh-ed25519 AAAA… name" />
              <SecretField
                place={`${place}.passwordHash`}
                label="Password hash"
                placeholder="as `openssl passwd -6` prints it"
                isSet={p.users.find((_, i) => place === `users[${i}]`)?.passwordSet === true}
              />
            </>
          )}
        </Repeated>
      </Section>
      <Section
        {...section("Language and time", p.locale + p.timeZone !== "" || p.keyboard !== undefined, "locale", "keyboard", "timeZone")}
      >
        <div class="pair">
          <TextField place="locale" label="Locale" placeholder="de_DE.UTF-8" />
          <TextField place="timeZone" label="Time zone" placeholder="Europe/Berlin" list="profile-zones" />
        </div>
        <datalist id="profile-zones">
          {zones.map((zone) => (
            <option value={zone} key={zone} />
          ))}
        </datalist>
        <div class="pair">
          <TextField place="keyboard.layout" label="Keyboard layout" placeholder="de" />
          <TextField place="keyboard.variant" label="Variant" />
          <TextField place="keyboard.options" label="Options" />
        </div>
      </Section>
      <Section {...section("Network", p.networks.length > 0 || p.wifi !== undefined, "wifi", "networks")}>
        <div class="pair">
          <TextField place="wifi.ssid" label="Wi-Fi network" />
          <TextField place="wifi.country" label="Country" placeholder="DE" />
        </div>
        <SecretField place="wifi.passphrase" label="Wi-Fi passphrase" isSet={p.wifi?.passphraseSet === true} />
        <CheckField place="wifi.hidden" label="The network does not tell its name" />
        <Repeated place="networks" one="static address" empty={emptyNetwork}>
          {(place) => (
            <div class="pair">
              <TextField place={`${place}.interface`} label="Interface or MAC" />
              <TextField place={`${place}.address`} label="Address" placeholder="10.0.12.{{ node.number }}/24" />
              <TextField place={`${place}.gateway`} label="Gateway" />
              <ListField place={`${place}.dns`} label="DNS servers" placeholder="9.9.9.9" />
            </div>
          )}
        </Repeated>
      </Section>
      <Section {...section("Packages and files", p.packages.length + p.files.length > 0, "packages", "files")}>
        <ListField place="packages" label="Packages, installed at the first start" placeholder="git python3-gpiozero" />
        <Repeated place="files" one="file" empty={emptyFile}>
          {(place) => (
            <>
              <div class="pair">
                <TextField place={`${place}.path`} label="Path" placeholder="/etc/motd" />
                <TextField place={`${place}.owner`} label="Owner" />
                <TextField place={`${place}.mode`} label="Mode" />
              </div>
              <TextField place={`${place}.content`} label="Content" rows={4} />
              <CheckField place={`${place}.template`} label="The content is a template" />
            </>
          )}
        </Repeated>
      </Section>
      <Section {...section("First start", p.firstBootScript + p.cloudInit !== "", "firstBootScript", "cloudInit")}>
        <TextField place="firstBootScript" label="Script, run once by root after the packages" rows={4} placeholder={"#!/bin/sh\n"} />
        <TextField place="cloudInit" label="cloud-init user-data, for images that have it" rows={3} placeholder={"#cloud-config\n"} />
      </Section>
      <Section {...section("Values and secrets", Object.keys(p.values).length + (p.secretsSet?.length ?? 0) > 0, "values", "secrets")}>
        <h3>Values</h3>
        <p class="dim">
          Where neither a node nor its groups have <a href="/settings/values">their own</a>.
        </p>
        <MapField label="Values of the profile" values={p.values} onChange={(values) => set("values", values)} />
        <h3>Secrets</h3>
        <Secrets profile={p} />
      </Section>
      <Section {...section("Updates", false, "keptPaths")}>
        <ListField place="keptPaths" label="Paths that an image update keeps, one a line" rows={4} />
      </Section>
    </>
  );
}

function Secrets({ profile }: { profile: Profile }) {
  const { set } = useContext(EditingContext);
  const [name, setName] = useState("");
  const kept = profile.secretsSet ?? [];
  const names = [...new Set([...kept, ...Object.keys(profile.secrets ?? {})])];
  return (
    <>
      {names.map((secret) => (
        <SecretField place={`secrets.${secret}`} label={secret} isSet={kept.includes(secret)} key={secret} />
      ))}
      <div class="map-row">
        <input
          type="text"
          aria-label="Name of a new secret"
          placeholder="name"
          spellcheck={false}
          autoCapitalize="off"
          value={name}
          onInput={(e) => setName(e.currentTarget.value)}
        />
        <button
          type="button"
          class="small"
          disabled={!/^[A-Za-z_]\w*$/.test(name.trim())}
          onClick={() => {
            set(`secrets.${name.trim()}`, undefined);
            setName("");
          }}
        >
          Add a secret
        </button>
      </div>
    </>
  );
}
