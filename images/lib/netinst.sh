# NetInst's kernel and the first part of its initramfs. Source lib/apt.sh and lib/kernel.sh first.
#
# The initramfs that a board gets is a concatenation: modules.cpio.zst (made here), the cpio of /init, and a small
# cpio with what is personal to an appliance, each padded with zeros to a multiple of 4 bytes at least
# (Linux, Documentation/driver-api/early-userspace/buffer-format.rst).

netinst() { # architecture
  kernel_fetch "$1"
  cp "$kernel_image" "$OUT/kernel"
  echo "$kernel_version" >"$OUT/version"
  cp "$WORK/packages" "$OUT/PACKAGES"
  cp "$WORK"/root/usr/share/doc/linux-image-*/copyright "$OUT/LICENCE.linux"

  local tree=$WORK/tree
  # The mount points exist before /init runs: the kernel makes none.
  mkdir -p "$tree"/{dev,proc,sys,run,tmp,mnt,etc/bootstrap}
  kernel_modules "$IMAGES/lib/modules-netinst-$1" "$tree"
  sed 's/ *#.*//; /^$/d' "$IMAGES/lib/modules-preload" >"$tree/etc/bootstrap/modules"
  newc "$tree" | zstd -q -19 -T0 >"$OUT/modules.cpio.zst"
  # A multiple of 512 keeps whatever follows aligned.
  truncate -s %512 "$OUT/modules.cpio.zst"
}
