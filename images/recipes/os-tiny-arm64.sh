# tiny-arm64.img: NetInst's kernel and a root of busybox alone, laid out like Raspberry Pi OS. For boards that are slow to emulate
# (QEMU's raspi3b) and for quick tests: it boots, gets an address and runs the Slave.
# inputs: lib/apt.sh lib/disk.sh lib/kernel.sh lib/rpi-boot.sh lib/virt-dtb.sh lib/os-tiny
# needs: netinst-arm64 bootset-rpi
for part in apt disk kernel rpi-boot virt-dtb; do . "$IMAGES/lib/$part.sh"; done
netinst=$(dep netinst-arm64)
apt_use bookworm arm64
apt_unpack "$WORK/packages-root" busybox-static

# NetInst's modules archive serves here too; only /init differs.
initramfs=$WORK/initramfs
cp -r "$IMAGES/lib/os-tiny/initramfs" "$initramfs"
mkdir "$initramfs/bin"
cp "$WORK/packages-root/bin/busybox" "$initramfs/bin/"
mkdir "$WORK/boot"
{ cat "$netinst/modules.cpio.zst"; newc "$initramfs" | zstd -q -19; } >"$WORK/boot/initrd.img"
cp "$netinst/kernel" "$WORK/boot/vmlinuz"

root=$WORK/root
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
ext4_from_tar "$WORK/root.tar" 64 7c1f6f0b-3f0a-4d5c-8a52-1f6e4b7a9d33 "$WORK/root.ext4"

# The Pi 3's files alone: this image crosses an emulated USB network at 0.2 MB/s.
mkdir "$WORK/pi3"
(cd "$(dep bootset-rpi)" && cp -r bootcode.bin start.elf fixup.dat bcm2837-rpi-3-b.dtb bcm2837-rpi-3-b-plus.dtb LICENCE.* overlays "$WORK/pi3/")
rpi_boot "$WORK/boot" "$WORK/pi3" "console=tty1 console=ttyS1,115200 console=ttyAMA0,115200 root=LABEL=rootfs rootfstype=ext4 rootwait panic=10"
fat_from_folder "$WORK/boot" 128 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" c "$WORK/root.ext4" b007a071 "$OUT/tiny-arm64.img"
