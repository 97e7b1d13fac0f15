# NetInst's kernel (Debian 12) and modules.cpio.zst for arm64.
# inputs: lib/apt.sh lib/kernel.sh lib/netinst.sh lib/modules-preload lib/modules-netinst-arm64
. "$IMAGES/lib/apt.sh"
. "$IMAGES/lib/kernel.sh"
. "$IMAGES/lib/netinst.sh"
netinst arm64
# A Pi 3's boot ROM asks for no block size: 65,535 blocks of 512 bytes are the most that it can load by TFTP.
[ "$(stat -c %s "$OUT/kernel")" -le $((65535 * 512)) ] || { echo "the kernel is too large for a Raspberry Pi 3 to load by TFTP" >&2; exit 1; }
