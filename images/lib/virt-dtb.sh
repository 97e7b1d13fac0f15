# Writes the device tree of a virtual board to a file.
virt_dtb() { # file
  qemu-system-aarch64 -M "virt,dumpdtb=$1" -cpu cortex-a53 -smp 1 -m 512 -display none -net none
  # Seeds for the random number generator of this one start: a file that every board loads must not have any.
  fdtput -d "$1" /chosen rng-seed
  fdtput -d "$1" /chosen kaslr-seed
}
