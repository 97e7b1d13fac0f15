# systemd-boot in the boot partition of an x86-64 image, in the removable-media path: firmware finds it without a boot entry of its own.
# Source lib/apt.sh first.

uefi_boot() { # folder (holds vmlinuz and initrd.img), name, kernel command line
  apt_use bookworm amd64
  apt_unpack "$WORK/systemd-boot" systemd-boot-efi
  mkdir -p "$1/EFI/BOOT" "$1/loader/entries"
  cp "$WORK/systemd-boot/usr/lib/systemd/boot/efi/systemd-bootx64.efi" "$1/EFI/BOOT/BOOTX64.EFI"
  printf 'default image.conf\ntimeout 0\neditor no\n' >"$1/loader/loader.conf"
  cat >"$1/loader/entries/image.conf" <<END
title   $2
linux   /vmlinuz
initrd  /initrd.img
options $3
END
}
