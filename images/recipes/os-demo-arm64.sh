# demo-arm64.img: Debian 12 for the Raspberry Pi 3 and 4 and for virtual boards, laid out like Raspberry Pi OS.
# inputs: lib/apt.sh lib/disk.sh lib/os-demo.sh lib/os-demo lib/rpi-boot.sh lib/virt-dtb.sh
# needs: bootset-rpi
for part in apt disk os-demo rpi-boot virt-dtb; do . "$IMAGES/lib/$part.sh"; done

# Everything that can carry the root file system.
cat >"$WORK/initramfs-modules" <<END
ext4
bcm2835
sdhci-iproc
gpio-regulator
bcm2835_wdt
reset-raspberrypi
xhci-pci
usb-storage
uas
nvme
virtio_pci
virtio_mmio
virtio_blk
virtio_scsi
sd_mod
END
emulation aarch64 arm64
demo_rootfs arm64 ttyAMA0 linux-image-arm64
demo_root "$WORK/boot" 764 6e5a6a4e-2f6c-4f3e-9f0b-0b5d3e4c1a64
# On a Pi 3 and 4 the serial console is ttyS1, elsewhere ttyAMA0; the kernel uses those that exist.
rpi_boot "$WORK/boot" "$(dep bootset-rpi)" "console=tty1 console=ttyS1,115200 console=ttyAMA0,115200 root=PARTUUID=b007a064-02 rootfstype=ext4 rootwait fsck.repair=yes"
fat_from_folder "$WORK/boot" 256 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" c "$WORK/root.ext4" b007a064 "$OUT/demo-arm64.img"
