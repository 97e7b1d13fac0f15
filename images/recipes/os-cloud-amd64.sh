# cloud-amd64.img: the amd64 demo with cloud-init, customised as programs that write cards do it: its own seed names the machine.
# inputs: lib/apt.sh lib/disk.sh lib/uefi-boot.sh lib/os-demo.sh lib/os-demo
for part in apt disk uefi-boot os-demo; do . "$IMAGES/lib/$part.sh"; done

printf '%s\n' ext4 virtio_pci virtio_blk virtio_scsi sd_mod >"$WORK/initramfs-modules"
emulation x86_64 amd64
demo_rootfs amd64 ttyS0 linux-image-amd64 cloud-init

seed=$WORK/seed/var/lib/cloud/seed/nocloud
mkdir -p "$seed" "$WORK/seed/etc/cloud/cloud.cfg.d"
printf '%s\n' '#cloud-config' 'hostname: from-the-seed' 'manage_etc_hosts: true' >"$seed/user-data"
echo 'instance-id: from-the-seed' >"$seed/meta-data"
# Of what cloud-init does, only what names a machine: the rest takes an emulated board minutes.
printf '%s\n' 'datasource_list: [NoCloud]' 'cloud_init_modules: [set_hostname, update_hostname, update_etc_hosts]' \
  'cloud_config_modules: []' 'cloud_final_modules: []' >"$WORK/seed/etc/cloud/cloud.cfg.d/95-seed.cfg"
tar -C "$WORK/seed" --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name --append -f "$WORK/rootfs.tar" ./var/lib/cloud ./etc/cloud/cloud.cfg.d/95-seed.cfg

demo_root "$WORK/boot" 896 3f0d2f6e-1c5b-4b7e-9d43-9a2f6f1d7c05
uefi_boot "$WORK/boot" "Debian 12 (cloud-init)" "console=tty1 console=ttyS0,115200 root=PARTUUID=b007a087-02 rootfstype=ext4 rootwait fsck.repair=yes"
fat_from_folder "$WORK/boot" 256 "$WORK/boot.fat"
disk_image "$WORK/boot.fat" ef "$WORK/root.ext4" b007a087 "$OUT/cloud-amd64.img"
