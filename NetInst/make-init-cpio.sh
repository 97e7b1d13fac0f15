#!/bin/sh
# Packs NetInst's init program as the second part of the initramfs: a cpio archive (newc) with /init alone, owned by root,
# the same bytes for the same program, padded so that a further part may follow.
#
#   NetInst/make-init-cpio.sh INIT-BINARY OUT.cpio.zst
set -eu
[ $# -eq 2 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
install -m 0755 "$1" "$work/init"
touch -d @0 "$work/init"
(cd "$work" && echo init | cpio --quiet -o -H newc --reproducible -R 0:0) | zstd -q -19 -f -o "$2"
truncate -s %512 "$2"
