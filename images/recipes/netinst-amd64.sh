# NetInst's kernel (Debian 12) and modules.cpio.zst for amd64.
# inputs: lib/apt.sh lib/kernel.sh lib/netinst.sh lib/modules-preload lib/modules-netinst-amd64
. "$IMAGES/lib/apt.sh"
. "$IMAGES/lib/kernel.sh"
. "$IMAGES/lib/netinst.sh"
netinst amd64
