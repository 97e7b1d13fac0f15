# slots-amd64.img: the amd64 demo with two slots for A/B updates of UEFI machines, the second of them empty. The names of a GPT's partitions say which slot they are of.
# inputs: lib/apt.sh lib/disk.sh lib/slots.sh
# needs: os-demo-amd64
for part in apt disk slots; do . "$IMAGES/lib/$part.sh"; done

demo=$(dep os-demo-amd64)
cp "$demo/PACKAGES" "$OUT/PACKAGES"
demo_partitions "$demo/demo-amd64.img"

# Identifiers are fixed: the same input makes the same image.
id=5b1e5b1e-0000-4000-8000-00000000000
sed -i "s/root=PARTUUID=[^ ]*/root=PARTUUID=${id}3/" "$WORK"/boot/loader/entries/*.conf
fat_from_folder "$WORK/boot" $((boot_size / 2048)) "$WORK/boot.fat"
cat >"$WORK/fstab" <<END
PARTLABEL=root_a  /               ext4  defaults,noatime  0  1
PARTLABEL=esp_a   /boot/firmware  vfat  defaults          0  2
END
/sbin/debugfs -w -f - "$WORK/root.ext4" <<END
rm /etc/fstab
write $WORK/fstab /etc/fstab
END
few_services "$WORK/root.ext4"

first=2048
esp_b=$((first + boot_size)) root_a=$((first + 2 * boot_size)) root_b=$((first + 2 * boot_size + root_size))
image=$OUT/slots-amd64.img
truncate -s $(((root_b + root_size + 2048) * 512)) "$image"
/sbin/sfdisk -q "$image" <<END
label: gpt
label-id: ${id}0
unit: sectors
start=$first, size=$boot_size, type=uefi, uuid=${id}1, name=esp_a
start=$esp_b, size=$boot_size, type=uefi, uuid=${id}2, name=esp_b
start=$root_a, size=$root_size, type=linux, uuid=${id}3, name=root_a
start=$root_b, size=$root_size, type=linux, uuid=${id}4, name=root_b
END
dd if="$WORK/boot.fat" of="$image" bs=1M seek=$((first / 2048)) conv=sparse,notrunc status=none
dd if="$WORK/root.ext4" of="$image" bs=1M seek=$((root_a / 2048)) conv=sparse,notrunc status=none
zstd -q -T0 -6 "$image" -o "$image.zst"
