# What a Raspberry Pi 3 or 4 loads before the kernel: the firmware of Debian 13's raspi-firmware, unmodified and with its
# licence, and the device trees of NetInst's kernel. (A Pi 5 has its firmware in its EEPROM and needs another kernel.)
# inputs: lib/apt.sh
# needs: netinst-arm64
. "$IMAGES/lib/apt.sh"
apt_use trixie arm64 "main non-free-firmware"
apt_unpack "$WORK/root" raspi-firmware
firmware=$WORK/root/usr/lib/raspi-firmware
cp -r "$firmware"/bootcode.bin "$firmware"/start*.elf "$firmware"/fixup*.dat "$firmware/overlays" "$OUT/"
cp "$WORK/root/usr/share/doc/raspi-firmware/copyright" "$OUT/LICENCE.broadcom"
cp "$(dep netinst-arm64)"/dtbs/*.dtb "$OUT/"
cp "$(dep netinst-arm64)/LICENCE.linux" "$OUT/"
cp "$WORK/packages" "$OUT/PACKAGES"
