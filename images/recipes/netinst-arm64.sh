# NetInst's kernel (Debian 12), modules.cpio.zst and device trees for arm64.
# inputs: lib/apt.sh lib/kernel.sh lib/netinst.sh lib/modules-preload lib/modules-netinst-arm64
. "$IMAGES/lib/apt.sh"
. "$IMAGES/lib/kernel.sh"
. "$IMAGES/lib/netinst.sh"
netinst arm64
# A Pi 3's boot ROM asks for no block size: 65,535 blocks of 512 bytes are the most that it can load by TFTP.
[ "$(stat -c %s "$OUT/kernel")" -le $((65535 * 512)) ] || { echo "the kernel is too large for a Raspberry Pi 3 to load by TFTP" >&2; exit 1; }
# Device trees belong to their kernel: the Raspberry Pi boot set takes these.
mkdir "$OUT/dtbs"
cp "$WORK"/root/usr/lib/linux-image-*/broadcom/bcm27*.dtb "$WORK"/root/usr/lib/linux-image-*/broadcom/bcm283*.dtb "$OUT/dtbs/"
# The boards' firmware knows the 64-bit Pi 3 by the foundation's name of its chip.
for tree in "$OUT"/dtbs/bcm2837-*.dtb; do cp "$tree" "${tree/bcm2837/bcm2710}"; done
mv "$OUT/dtbs/bcm2710-rpi-cm3-io3.dtb" "$OUT/dtbs/bcm2710-rpi-cm3.dtb"
