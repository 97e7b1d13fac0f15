# tiny-amd64.img: busybox for x86-64 UEFI machines, for quick tests: it boots, gets an address and runs the Slave.
# inputs: lib/apt.sh lib/disk.sh lib/kernel.sh lib/uefi-boot.sh lib/os-tiny.sh lib/os-tiny
# needs: netinst-amd64
for part in apt disk kernel uefi-boot os-tiny; do . "$IMAGES/lib/$part.sh"; done
tiny_system amd64 5b3b1c55-0d2b-4f59-9d64-2f1f7c0f6a8e
uefi_boot "$WORK/boot" "Tiny" "console=tty1 console=ttyS0,115200 root=LABEL=rootfs rootfstype=ext4 rootwait panic=10"
fat_from_folder "$WORK/boot" 64 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" ef "$WORK/root.ext4" b007a072 "$OUT/tiny-amd64.img"
