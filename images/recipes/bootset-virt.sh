# The device tree of a virtual board, as QEMU's "virt" machine makes it. The board is
#   qemu-system-aarch64 -M virt -cpu cortex-a53 -smp 1 -m <any> -dtb virt.dtb
# with its disk, network and random numbers on PCI (virtio-blk-pci, virtio-net-pci, virtio-rng-pci): these are found by
# probing and are not in the tree, and QEMU writes the size of the memory into it.
# inputs: lib/virt-dtb.sh
. "$IMAGES/lib/virt-dtb.sh"
virt_dtb "$OUT/virt.dtb"
