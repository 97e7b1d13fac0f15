# Debian's kernel and a chosen part of its modules. Source lib/apt.sh first.

# Downloads the current kernel of an architecture into $WORK/root; sets $kernel_version and $kernel_image.
kernel_fetch() { # architecture
  apt_use bookworm "$1"
  # linux-image-arm64 is only a pointer to the current linux-image-6.1.0-N-arm64.
  apt_unpack "$WORK/root" "$(apt_depends "linux-image-$1")"
  kernel_version=$(ls "$WORK/root/lib/modules")
  kernel_image=$WORK/root/boot/vmlinuz-$kernel_version
  depmod -b "$WORK/root" "$kernel_version"
}

# Copies modules (one name a line in the file; # comments) and all that they depend on into a folder, uncompressed, with
# modules.dep, .alias, .softdep and .builtin for exactly these. A name that this kernel has neither as a module nor built in is an error.
kernel_modules() { # file of names, folder
  local name file target=$2/lib/modules/$kernel_version
  mkdir -p "$target"
  sed 's/#.*//' "$1" | tr -s ' \t' '\n' | sed '/^$/d' | while read -r name; do
    # -C /dev/null: the machine's own modprobe.d says nothing about these boards.
    modprobe -C /dev/null -d "$WORK/root" -S "$kernel_version" --show-depends "$name" ||
      { echo "the kernel $kernel_version has no module '$name'" >&2; exit 1; }
  done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u >"$WORK/module-files"
  while read -r file; do
    name=${file#"$WORK/root/lib/modules/$kernel_version/"}
    mkdir -p "$target/$(dirname "$name")"
    case $file in # newer kernels compress their modules; the initramfs is compressed as a whole
      *.ko.xz) xz -dc "$file" >"$target/${name%.xz}" ;;
      *.ko.zst) zstd -qdc "$file" >"$target/${name%.zst}" ;;
      *) cp "$file" "$target/$name" ;;
    esac
  done <"$WORK/module-files"
  cp "$WORK/root/lib/modules/$kernel_version"/modules.{builtin,order} "$target/"
  depmod -b "$2" "$kernel_version"
  rm -f "$target"/modules.*.bin "$target"/modules.{order,devname,symbols} # text is all that an init of ours reads
}

# Writes a folder as a reproducible newc archive, owned by root, to standard output.
newc() { # folder
  find "$1" -exec touch -h -d @0 {} +
  (cd "$1" && find . -mindepth 1 -print0 | LC_ALL=C sort -z | cpio --quiet --null -o -H newc --reproducible -R 0:0)
}
