# A sysroot of Debian 12: programs linked against its glibc 2.36 run on Debian 12, Raspberry Pi OS 12 and everything newer.

sysroot() { # architecture, GNU triplet
  apt_use bookworm "$1"
  apt_unpack "$OUT" libc6 libc6-dev libgcc-12-dev libgcc-s1 libstdc++-12-dev libstdc++6 libssl-dev libssl3 \
    zlib1g zlib1g-dev linux-libc-dev libcrypt1 libcrypt-dev
  rm -rf "$OUT"/usr/share "$OUT"/etc "$OUT"/usr/bin
  cp "$WORK/packages" "$OUT/PACKAGES"

  # Links with absolute targets would leave the sysroot.
  local link target
  find "$OUT" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    ln -sfr "$OUT$target" "$link"
  done
  test -e "$OUT/usr/lib/$2/libssl.a"
}
