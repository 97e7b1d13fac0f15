# What both images with two slots have in common. Source lib/disk.sh first.

# Whoever tests updates starts such a system ten times, mostly emulated: what it has no use for does not start (27 s of systemd on a
# Cortex-A53 that QEMU emulates become some 12). What an update has to do with, such as the checking of file systems, stays, and D-Bus, by
# which tasks are started.
few_services() { # ext4
  local unit drop_in=/etc/systemd/system/systemd-udev-trigger.service.d/devices.conf
  {
    for unit in ssh.service getty@tty1.service serial-getty@tty{AMA0,S0}.service \
      systemd-{resolved,timesyncd,logind,user-sessions,update-utmp,update-utmp-runlevel}.service \
      systemd-{sysctl,sysusers,random-seed,journal-flush,machine-id-commit}.service \
      e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer; do
      # An alias of the unit's own may be there, and to remove what is not is no harm.
      printf 'rm /etc/systemd/system/%s\nsymlink /etc/systemd/system/%s /dev/null\n' "$unit" "$unit"
    done
    echo 'symlink /etc/systemd/system-generators/systemd-getty-generator /dev/null'
    # Drivers are looked for where a virtual board has devices.
    cat >"$WORK/few-devices.conf" <<'END'
[Service]
ExecStart=
ExecStart=-udevadm trigger --type=devices --action=add --subsystem-match=block --subsystem-match=net --subsystem-match=virtio
END
    printf 'rm %s\nwrite %s %s\n' "$drop_in" "$WORK/few-devices.conf" "$drop_in"
  } | /sbin/debugfs -w -f - "$1"
}
