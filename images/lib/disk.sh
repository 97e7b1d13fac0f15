# Disk images without mounting anything and without loop devices.

# Makes an ext4 file system with the label rootfs from a tar archive, with its owners and modes, also without being root. (What is left
# out is not taken out of the archive before: tar --delete fails on some archives with extended headers.)
ext4_from_tar() { # tar, size in MiB, UUID, file, more options of tar…
  local script='
    set -e
    size=$1 uuid=$2
    shift 2
    folder=$(mktemp -d) && trap "rm -rf $folder" EXIT
    # No device nodes: only real root may make them, and the system mounts a devtmpfs over them.
    mkdir "$folder/root" && tar -xpf - --numeric-owner --xattrs --exclude="./dev/*" "$@" -C "$folder/root"
    truncate -s "${size}M" "$folder/ext4"
    # Nothing left to initialise in the background, and no feature that Debian 12 lacks, whatever this machine runs.
    mkfs.ext4 -q -L rootfs -U "$uuid" -E lazy_itable_init=0,lazy_journal_init=0,hash_seed="$uuid" -O ^orphan_file,^metadata_csum_seed -m 1 -d "$folder/root" "$folder/ext4" >&2
    cat "$folder/ext4"'
  local helper=()
  # A user namespace maps the archive's owners where this is not run by root.
  if [ "$(id -u)" != 0 ]; then helper=(mmdebstrap --unshare-helper); fi
  "${helper[@]}" sh -c "$script" sh "$2" "$3" "${@:5}" <"$1" | dd of="$4" bs=1M iflag=fullblock conv=sparse status=none
  truncate -s "$2M" "$4"
}

# Makes a FAT32 file system with the label bootfs from the contents of a folder.
fat_from_folder() { # folder, size in MiB, file
  truncate -s "$2M" "$3"
  # --invariant: no time of creation and no random id, so the same input makes the same file.
  /sbin/mkfs.vfat --invariant -F 32 -n bootfs "$3" >/dev/null
  mcopy -s -Q -i "$3" "$1"/* ::
}

# Joins them as Raspberry Pi OS is laid out: MBR, FAT at 4 MiB, root last. The disk's signature is fixed, because the
# kernel's command line names the root partition by it. Also writes FILE.zst.
disk_image() { # fat, its MBR type, ext4, signature, file
  local fat_sectors=$(($(stat -c %s "$1") / 512)) root_sectors=$(($(stat -c %s "$3") / 512)) first=8192
  truncate -s $(((first + fat_sectors + root_sectors) * 512)) "$5"
  /sbin/sfdisk -q "$5" <<END
label: dos
label-id: 0x$4
unit: sectors
start=$first, size=$fat_sectors, type=$2, bootable
start=$((first + fat_sectors)), size=$root_sectors, type=83
END
  dd if="$1" of="$5" bs=1M seek=4 conv=sparse,notrunc status=none
  dd if="$3" of="$5" bs=1M seek=$((4 + fat_sectors / 2048)) conv=sparse,notrunc status=none
  zstd -q -T0 -6 "$5" -o "$5.zst"
}

# Takes a demo image apart: $WORK/boot, what is on its boot partition, and $WORK/root.ext4; $boot_size and $root_size are in sectors.
demo_partitions() { # image
  local boot_start root_start
  read -r boot_start boot_size root_start root_size < <(/sbin/sfdisk -q --json "$1" | tr -d '\n' |
    sed -E 's/.*"start": *([0-9]+), *"size": *([0-9]+).*"start": *([0-9]+), *"size": *([0-9]+).*/\1 \2 \3 \4\n/')
  mkdir "$WORK/boot"
  mcopy -s -Q -i "$1@@$((boot_start * 512))" '::*' "$WORK/boot/"
  dd if="$1" of="$WORK/root.ext4" bs=1M skip=$((root_start / 2048)) count=$((root_size / 2048)) conv=sparse status=none
  truncate -s $((root_size * 512)) "$WORK/root.ext4"
}
