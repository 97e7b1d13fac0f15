# The boot partition of an arm64 image: all that a Raspberry Pi 3 or 4 and a virtual board need beside kernel and initramfs.

rpi_boot() { # folder (holds vmlinuz and initrd.img), boot set, kernel command line
  cp -r "$2"/*.bin "$2"/*.elf "$2"/*.dat "$2"/*.dtb "$2"/LICENCE.* "$2/overlays" "$1/"
  virt_dtb "$1/virt.dtb"
  echo "$3" >"$1/cmdline.txt"
  cat >"$1/config.txt" <<END
# A 64-bit kernel of Debian, which names the device trees as the upstream kernel does.
arm_64bit=1
upstream_kernel=1
kernel=vmlinuz
initramfs initrd.img followkernel
enable_uart=1
END
}
