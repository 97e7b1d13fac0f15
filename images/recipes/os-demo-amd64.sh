# demo-amd64.img: Debian 12 for x86-64 UEFI machines, laid out like the arm64 demo; systemd-boot in the removable-media path.
# inputs: lib/apt.sh lib/disk.sh lib/os-demo.sh lib/os-demo
for part in apt disk os-demo; do . "$IMAGES/lib/$part.sh"; done

cat >"$WORK/initramfs-modules" <<END
ext4
virtio_pci
virtio_blk
virtio_scsi
ahci
nvme
sd_mod
sdhci-pci
mmc_block
xhci-pci
ehci-pci
usb-storage
uas
END
emulation x86_64 amd64
demo_rootfs amd64 ttyS0 linux-image-amd64
demo_root "$WORK/boot" 764 0d1c2c5f-7a35-4d0e-a5b1-7f1a4e2a8d86

apt_use bookworm amd64
apt_unpack "$WORK/systemd-boot" systemd-boot-efi
mkdir -p "$WORK/boot/EFI/BOOT" "$WORK/boot/loader/entries"
cp "$WORK/systemd-boot/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$WORK/boot/EFI/BOOT/BOOTX64.EFI"
printf 'default demo.conf\ntimeout 0\neditor no\n' >"$WORK/boot/loader/loader.conf"
cat >"$WORK/boot/loader/entries/demo.conf" <<END
title   Debian 12 (demo)
linux   /vmlinuz
initrd  /initrd.img
options console=tty1 console=ttyS0,115200 root=PARTUUID=b007a086-02 rootfstype=ext4 rootwait fsck.repair=yes
END
fat_from_folder "$WORK/boot" 256 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" ef "$WORK/root.ext4" b007a086 "$OUT/demo-amd64.img"
