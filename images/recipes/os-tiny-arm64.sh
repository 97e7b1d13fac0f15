# tiny-arm64.img: busybox, laid out like Raspberry Pi OS. For boards that are slow to emulate (QEMU's raspi3b) and for quick tests:
# it boots, gets an address and runs the Slave.
# inputs: lib/apt.sh lib/disk.sh lib/kernel.sh lib/rpi-boot.sh lib/virt-dtb.sh lib/os-tiny.sh lib/os-tiny
# needs: netinst-arm64 bootset-rpi
for part in apt disk kernel rpi-boot virt-dtb os-tiny; do . "$IMAGES/lib/$part.sh"; done
tiny_system arm64 7c1f6f0b-3f0a-4d5c-8a52-1f6e4b7a9d33

# The Pi 3's files alone: this image crosses an emulated USB network at 0.2 MB/s.
mkdir "$WORK/pi3"
(cd "$(dep bootset-rpi)" && cp -r bootcode.bin start.elf fixup.dat bcm2837-rpi-3-b.dtb bcm2837-rpi-3-b-plus.dtb LICENCE.* overlays "$WORK/pi3/")
rpi_boot "$WORK/boot" "$WORK/pi3" "console=tty1 console=ttyS1,115200 console=ttyAMA0,115200 root=LABEL=rootfs rootfstype=ext4 rootwait panic=10"
fat_from_folder "$WORK/boot" 128 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" c "$WORK/root.ext4" b007a071 "$OUT/tiny-arm64.img"
