# What both images with two slots have in common. Source lib/disk.sh first.

# Whoever tests updates starts such a system ten times, mostly emulated: what it has no use for does not start (43 s of a Cortex-A53 that
# QEMU emulates become some 30). What an update has to do with, such as the checking of file systems, stays.
few_services() { # ext4
  local unit
  for unit in ssh.service systemd-{resolved,timesyncd,pstore,update-utmp,update-utmp-runlevel}.service \
    e2scrub_reap.service e2scrub_all.timer fstrim.timer apt-daily.timer apt-daily-upgrade.timer \
    modprobe@{configfs,dm_mod,drm,efi_pstore,fuse,loop}.service \
    dev-{hugepages,mqueue}.mount sys-kernel-{config,debug,tracing}.mount sys-fs-fuse-connections.mount; do
    # An alias of the unit's own may be there, and to remove what is not is no harm.
    printf 'rm /etc/systemd/system/%s\nsymlink /etc/systemd/system/%s /dev/null\n' "$unit" "$unit"
  done | /sbin/debugfs -w -f - "$1"
}
