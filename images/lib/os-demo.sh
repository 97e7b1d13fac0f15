# The demo operating system: Debian 12 with systemd, DHCP on every wired interface, and SSH by key only.
# Source lib/apt.sh, lib/disk.sh and, for arm64, lib/virt-dtb.sh first.

# Programs of another architecture run under qemu-user; the kernel must know it.
emulation() { # GNU architecture, Debian architecture
  if [ "$(uname -m)" = "$1" ] || arch-test "$2" >/dev/null 2>&1; then return; fi
  if [ "$(id -u)" = 0 ]; then
    # Where no systemd has done it (containers), as root:
    mountpoint -q /proc/sys/fs/binfmt_misc || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    update-binfmts --enable "qemu-$1" || true
  fi
  arch-test "$2" >/dev/null || { echo "this machine cannot run $2 programs: install qemu-user-static and binfmt-support, then run as root: update-binfmts --enable qemu-$1" >&2; return 1; }
}

# What the root file system has besides packages: lib/os-demo, and links to /dev/null for what such a board has no use for. Each costs a
# Cortex-A53 that QEMU emulates between a half and a whole second of its start.
skeleton() { # folder
  local unit generator
  cp -r "$IMAGES/lib/os-demo" "$1"
  for unit in systemd-{network-generator,pstore,modules-load}.service kmod-static-nodes.service \
    modprobe@{configfs,dm_mod,drm,efi_pstore,fuse,loop}.service \
    dev-{hugepages,mqueue}.mount sys-kernel-{config,debug,tracing}.mount sys-fs-fuse-connections.mount; do
    ln -s /dev/null "$1/etc/systemd/system/$unit"
  done
  mkdir "$1/etc/systemd/system-generators"
  for generator in cryptsetup debug hibernate-resume integritysetup rc-local run system-update sysv veritysetup; do
    ln -s /dev/null "$1/etc/systemd/system-generators/systemd-$generator-generator"
  done
}

# Debian's root file system as $WORK/rootfs.tar. mmdebstrap makes the essential part; the rest is installed into it by this machine's own
# apt and dpkg, so that only the packages' scripts are emulated and not the unpacking of a kernel. INITRD=No: the initramfs is made once, at the end.
demo_rootfs() { # architecture, serial console, package…
  local architecture=$1 console=$2 option
  shift 2
  local excluded=() modules proxy=()
  # A board's image needs no manuals, no drivers of displays, cameras, radios other than the Pi's, or data centres, no descriptions of other
  # makers' boards, and no names of all the hardware that there is. The smaller it is, the sooner it is installed.
  for modules in '/usr/lib/linux-image-*' '/lib/udev/hwdb.d/*' '/usr/share/doc/*' '/usr/share/man/*' '/usr/share/info/*' '/usr/share/locale/*' '/usr/share/lintian/*' \
    /lib/modules/*/kernel/sound/'*' /lib/modules/*/kernel/drivers/{media,infiniband,isdn,iio,staging,comedi,scsi,video,ata,platform,target,accel,mtd,edac,crypto,soundwire,hwtracing}/'*' \
    /lib/modules/*/kernel/drivers/gpu/'*' /lib/modules/*/kernel/drivers/net/wireless/'[a-ac-z]*' /lib/modules/*/kernel/drivers/net/{can,wan,ieee802154,hamradio,fddi,plip,slip,wwan}/'*' \
    /lib/modules/*/kernel/drivers/net/ethernet/{adaptec,agere,alteon,amd,apm,aquantia,dlink,micrel,microsoft,myricom,natsemi,packetengines,rdc,silan,sis,socionext,tehuti,ti,via,mellanox,chelsio,qlogic,cavium,hisilicon,huawei,emulex,sfc,marvell,freescale,netronome,pensando,google,brocade,cisco,fungible,amazon,sun,dec,neterion,3com,8390,broadcom/bnx2x,intel/ice,intel/i40e,intel/ixgbe}/'*' \
    /lib/modules/*/kernel/fs/{ocfs2,gfs2,ceph,cifs,smb,nfsd,afs,coda,jfs,reiserfs,ubifs,orangefs,9p,nilfs2,dlm,ksmbd,hfs,hfsplus,f2fs,btrfs,xfs,ntfs3,bcachefs,udf,nfs}/'*' /lib/modules/*/kernel/net/{ceph,rxrpc,tipc,batman-adv,bluetooth,sctp,atm,appletalk,ax25,can,nfc,mac802154,openvswitch,rds,smc,wireless,mac80211,9p}/'*'; do
    excluded+=("path-exclude=$modules")
  done
  for modules in hooks scripts/init-top scripts/init-bottom; do # see lib/os-demo/etc/initramfs-tools/hooks/blkid
    excluded+=("path-exclude=/usr/share/initramfs-tools/$modules/udev")
  done
  excluded+=('path-include=/usr/share/doc/*/copyright')
  excluded+=('path-include=/lib/modules/*/kernel/drivers/scsi/s[dg]*' 'path-include=/lib/modules/*/kernel/drivers/scsi/scsi*')
  excluded+=('path-include=/lib/modules/*/kernel/drivers/scsi/virtio_scsi*' 'path-include=/lib/modules/*/kernel/drivers/ata/*ahci*' 'path-include=/lib/modules/*/kernel/drivers/ata/libata*')
  while read -r option; do proxy+=("--aptopt=$option"); done < <(apt-config dump | grep -E '^Acquire::(http|https)::Proxy ')

  local packages="systemd systemd-sysv systemd-resolved systemd-timesyncd libpam-systemd dbus udev kmod iproute2 netbase openssh-server e2fsprogs dosfstools initramfs-tools zstd $*"
  skeleton "$WORK/skeleton"
  tar -C "$WORK/skeleton" --owner=0 --group=0 --numeric-owner --mtime=@0 --sort=name -cf "$WORK/skeleton.tar" .
  sources bookworm main | mmdebstrap --architectures="$architecture" --variant=apt --format=tar \
    --hook-dir=/usr/share/mmdebstrap/hooks/merged-usr \
    --dpkgopt=force-unsafe-io "${excluded[@]/#/--dpkgopt=}" "${proxy[@]}" --aptopt='Acquire::Languages "none"' --aptopt='Acquire::Retries "3"' \
    --essential-hook="tar-in $WORK/skeleton.tar /" \
    --essential-hook="copy-in $WORK/initramfs-modules /tmp" --essential-hook='mv "$1/tmp/initramfs-modules" "$1/etc/initramfs-tools/modules"' \
    --customize-hook="APT_CONFIG=\$MMDEBSTRAP_APT_CONFIG DEBIAN_FRONTEND=noninteractive INITRD=No apt-get -y -q --no-install-recommends \
      -o DPkg::Options::=--root=\"\$1\" -o DPkg::Options::=--force-unsafe-io -o DPkg::Options::=--force-confold $(printf -- "-o 'DPkg::Options::=--%s' " "${excluded[@]}") install $packages" \
    --customize-hook="tar-in $WORK/skeleton.tar /" \
    --customize-hook='mkdir -p "$1/boot/firmware" && rm -f "$1"/etc/ssh/ssh_host_* "$1"/var/lib/systemd/random-seed' \
    --customize-hook="chroot \"\$1\" systemctl --quiet enable systemd-networkd systemd-resolved serial-getty@$console.service" \
    --customize-hook='chroot "$1" systemctl --quiet disable e2scrub_reap.service e2scrub_all.timer' \
    --customize-hook='chroot "$1" update-initramfs -c -k all' \
    --customize-hook='chroot "$1" passwd --quiet --lock root' \
    --customize-hook='ln -sf ../run/systemd/resolve/stub-resolv.conf "$1/etc/resolv.conf"' \
    --customize-hook=': >"$1/etc/machine-id"; rm -f "$1"/var/lib/dbus/machine-id "$1"/var/log/*.log "$1"/var/log/apt/*; rm -rf "$1"/var/cache/ldconfig/aux-cache' \
    bookworm "$WORK/rootfs.tar" -
}

# The kernel and its initramfs out of $WORK/rootfs.tar, as FOLDER/vmlinuz and FOLDER/initrd.img; the rest of the root file system
# becomes $WORK/root.ext4 without them, since the boot partition is what boots.
demo_root() { # folder, size in MiB, UUID
  mkdir -p "$WORK/unpacked" "$1"
  tar -xf "$WORK/rootfs.tar" -C "$WORK/unpacked" --no-same-owner --wildcards './boot/vmlinuz-*' './boot/initrd.img-*' ./var/lib/dpkg/status
  awk '/^Package:/ { name = $2 } /^Version:/ { print name "_" $2 }' "$WORK/unpacked/var/lib/dpkg/status" >"$OUT/PACKAGES"
  cp "$WORK"/unpacked/boot/vmlinuz-* "$1/vmlinuz"
  cp "$WORK"/unpacked/boot/initrd.img-* "$1/initrd.img"
  ext4_from_tar "$WORK/rootfs.tar" "$2" "$3" "$WORK/root.ext4" --exclude='./boot/vmlinuz-*' --exclude='./boot/initrd.img-*'
}
