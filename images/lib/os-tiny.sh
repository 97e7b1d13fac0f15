# The tiny operating system: NetInst's kernel and a root of busybox alone. Source lib/apt.sh, lib/disk.sh and lib/kernel.sh first.

# Makes $WORK/boot with vmlinuz and initrd.img, and the root file system $WORK/root.ext4 of 64 MiB.
tiny_system() { # architecture, UUID
  local netinst applet initramfs=$WORK/initramfs root=$WORK/root
  netinst=$(dep "netinst-$1")
  apt_use bookworm "$1"
  apt_unpack "$WORK/packages-root" busybox-static

  # NetInst's modules archive serves here too; only /init differs.
  cp -r "$IMAGES/lib/os-tiny/initramfs" "$initramfs"
  mkdir "$initramfs/bin"
  cp "$WORK/packages-root/bin/busybox" "$initramfs/bin/"
  mkdir -p "$WORK/boot"
  { cat "$netinst/modules.cpio.zst"; newc "$initramfs" | zstd -q -19; } >"$WORK/boot/initrd.img"
  cp "$netinst/kernel" "$WORK/boot/vmlinuz"

  cp -r "$IMAGES/lib/os-tiny/root" "$root"
  mkdir -p "$root"/{bin,sbin,usr/bin,usr/sbin,usr/local/bin,boot/firmware,dev,proc,sys,run,tmp,root,var/lib,var/log}
  cp "$WORK/packages-root/bin/busybox" "$root/bin/"
  mkdir -p "$root/usr/share/doc/busybox"
  cp "$WORK/packages-root/usr/share/doc/busybox-static/copyright" "$root/usr/share/doc/busybox/"
  # Names for the applets; busybox lists those of its own architecture only when it runs, so these are the ones used here and by hand.
  for applet in sh ash cat cp cut date dd df dmesg echo env false find findfs free grep head hostname kill ln ls lsmod mkdir mknod modprobe mount mv \
    ping ps rm sed sleep sort stat sync tail tar touch tr true udhcpc umount uname wc wget xargs; do ln -s busybox "$root/bin/$applet"; done
  for applet in init halt ip mdev poweroff reboot; do ln -s ../bin/busybox "$root/sbin/$applet"; done
  # zstd finds fault with the zeros after the archive; cpio sees whether it is whole.
  (cd "$root" && { zstd -qdc "$netinst/modules.cpio.zst" 2>/dev/null || true; } | cpio -idm --quiet 'lib/*')
  test -e "$root"/lib/modules/*/modules.dep
  tar -C "$root" --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name -cf "$WORK/root.tar" .
  ext4_from_tar "$WORK/root.tar" 64 "$2" "$WORK/root.ext4"
}
