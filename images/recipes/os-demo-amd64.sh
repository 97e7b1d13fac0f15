# demo-amd64.img: Debian 12 for x86-64 UEFI machines, laid out like the arm64 demo; systemd-boot in the removable-media path.
# inputs: lib/apt.sh lib/disk.sh lib/uefi-boot.sh lib/os-demo.sh lib/os-demo
for part in apt disk uefi-boot os-demo; do . "$IMAGES/lib/$part.sh"; done

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
uefi_boot "$WORK/boot" "Debian 12 (demo)" "console=tty1 console=ttyS0,115200 root=PARTUUID=b007a086-02 rootfstype=ext4 rootwait fsck.repair=yes"
fat_from_folder "$WORK/boot" 256 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" ef "$WORK/root.ext4" b007a086 "$OUT/demo-amd64.img"
