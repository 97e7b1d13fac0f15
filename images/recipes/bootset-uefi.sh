# iPXE for UEFI and BIOS machines, from Debian 13: snponly (uses the firmware's own network driver), full x86-64 and
# arm64 programs with drivers, and undionly.kpxe for BIOS PXE.
# inputs: lib/apt.sh
. "$IMAGES/lib/apt.sh"
apt_use trixie arm64 "main non-free-firmware" # ipxe is for all architectures
apt_unpack "$WORK/root" ipxe
for file in snponly.efi ipxe-amd64.efi ipxe-arm64.efi undionly.kpxe; do cp "$WORK/root/usr/lib/ipxe/$file" "$OUT/"; done
cp "$WORK/root/usr/share/doc/ipxe/copyright" "$OUT/LICENCE.ipxe"
cp "$WORK/packages" "$OUT/PACKAGES"
