# slots-arm64.img: the arm64 demo with two slots for A/B updates, the second of them empty. autoboot.txt on the first partition names the boot partition of the
# slot in use (2) and of the one to try (3); 5 and 6 are their root file systems.
# inputs: lib/apt.sh lib/disk.sh lib/slots.sh
# needs: os-demo-arm64
for part in apt disk slots; do . "$IMAGES/lib/$part.sh"; done

demo=$(dep os-demo-arm64)
cp "$demo/PACKAGES" "$OUT/PACKAGES"
demo_partitions "$demo/demo-arm64.img"

mkdir "$WORK/autoboot"
sed -i 's/root=PARTUUID=[^ ]*/root=PARTUUID=b007ab64-05/' "$WORK/boot/cmdline.txt"
fat_from_folder "$WORK/boot" $((boot_size / 2048)) "$WORK/boot.fat"
cat >"$WORK/autoboot/autoboot.txt" <<END
[all]
tryboot_a_b=1
boot_partition=2
[tryboot]
boot_partition=3
END
fat_from_folder "$WORK/autoboot" 40 "$WORK/autoboot.fat"

# Debian's kernel cannot hand "tryboot" to a Raspberry Pi's firmware, and cannot say that it could. On virtual boards, which understand it from any kernel, it pretends to
# be one of Raspberry Pi's own.
cat >"$WORK/fstab" <<END
PARTUUID=b007ab64-05  /               ext4  defaults,noatime  0  1
PARTUUID=b007ab64-02  /boot/firmware  vfat  defaults          0  2
END
cat >"$WORK/pretend.service" <<'END'
[Unit]
Description=Name this kernel as Raspberry Pi's own are named
DefaultDependencies=no
After=systemd-remount-fs.service
Before=bootstrap-slave.service

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'echo "$(uname -r)-v8" >/run/osrelease && mount --bind /run/osrelease /proc/sys/kernel/osrelease'
END
/sbin/debugfs -w -f - "$WORK/root.ext4" <<END
rm /etc/fstab
write $WORK/fstab /etc/fstab
write $WORK/pretend.service /etc/systemd/system/pretend-raspberry-pi-kernel.service
symlink /etc/systemd/system/multi-user.target.wants/pretend-raspberry-pi-kernel.service /etc/systemd/system/pretend-raspberry-pi-kernel.service
END
few_services "$WORK/root.ext4"

# Each partition of the extended one stands 1 MiB behind the one before: its own table is there.
first=8192 autoboot_sectors=$((40 * 2048))
boot_a=$((first + autoboot_sectors)) boot_b=$((first + autoboot_sectors + boot_size))
extended=$((boot_b + boot_size)) root_a=$((boot_b + boot_size + 2048)) root_b=$((boot_b + boot_size + root_size + 4096))
image=$OUT/slots-arm64.img
truncate -s $(((root_b + root_size) * 512)) "$image"
/sbin/sfdisk -q "$image" <<END
label: dos
label-id: 0xb007ab64
unit: sectors
start=$first, size=$autoboot_sectors, type=c, bootable
start=$boot_a, size=$boot_size, type=c
start=$boot_b, size=$boot_size, type=c
start=$extended, size=$((root_b + root_size - extended)), type=5
start=$root_a, size=$root_size, type=83
start=$root_b, size=$root_size, type=83
END
dd if="$WORK/autoboot.fat" of="$image" bs=1M seek=$((first / 2048)) conv=sparse,notrunc status=none
dd if="$WORK/boot.fat" of="$image" bs=1M seek=$((boot_a / 2048)) conv=sparse,notrunc status=none
dd if="$WORK/root.ext4" of="$image" bs=1M seek=$((root_a / 2048)) conv=sparse,notrunc status=none
zstd -q -T0 -6 "$image" -o "$image.zst"
