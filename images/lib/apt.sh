# Debian packages of any suite and architecture, without touching the machine's own apt or dpkg state.
#
# No mirror is named here: the URI is the one that the machine's own apt configuration uses for Debian, or $DEBIAN_MIRROR
# (and $DEBIAN_SECURITY_MIRROR). Archives are verified with debian-archive-keyring. Each suite and architecture
# has a private apt root in the cache: its own lists, its own archive of .deb files, an empty dpkg state.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

dep() { "$IMAGES/build" --path "$1"; } # the folder of a recipe named under "needs"

# The URI from which this machine takes packages with the label $1 (Debian, Debian-Security).
machine_uri() {
  apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 2>/dev/null |
    sed -n "s#^Debian|$1|\(.*[^/]\)/*\$#\1#p" | head -n 1
}

debian_uri() {
  local uri=${DEBIAN_MIRROR:-$(machine_uri Debian)}
  [ -n "$uri" ] || { echo "no Debian mirror found in this machine's apt configuration: run 'apt-get update', or set DEBIAN_MIRROR" >&2; return 1; }
  echo "$uri"
}

# The sources of a suite, one deb line each; its security updates too where the machine has such a mirror.
sources() { # suite, components
  local uri security
  uri=$(debian_uri)
  security=${DEBIAN_SECURITY_MIRROR:-$(machine_uri Debian-Security)}
  echo "deb [signed-by=$keyring] $uri $1 $2"
  if [ -n "$security" ]; then echo "deb [signed-by=$keyring] $security $1-security $2"; fi
}

# Prepares the private apt root of a suite and architecture; sets $apt_root and the array $apt_options.
apt_use() { # suite, architecture, [components]
  apt_root=$CACHE/apt/$1-$2
  mkdir -p "$apt_root"/etc/{apt.conf.d,preferences.d} "$apt_root"/state/lists/partial "$apt_root"/archives/partial
  touch "$apt_root/state/status"
  apt_options=(
    -o "Dir::State=$apt_root/state" -o "Dir::State::status=$apt_root/state/status"
    -o "Dir::Cache=$apt_root" -o "Dir::Cache::archives=$apt_root/archives/"
    -o "Dir::Etc::sourcelist=$apt_root/etc/sources.list" -o Dir::Etc::sourceparts=/dev/null
    -o "Dir::Etc::preferencesparts=$apt_root/etc/preferences.d" -o Dir::Etc::preferences=/dev/null
    -o "APT::Architecture=$2" -o "APT::Architectures=$2"
    -o APT::Install-Recommends=false -o APT::Sandbox::User= -o Acquire::Languages=none -o APT::Get::List-Cleanup=true
    # The machine's own hooks (a container image's clean-up, for one) are none of this root's business.
    -o DPkg::Post-Invoke= -o APT::Update::Post-Invoke= -o APT::Update::Post-Invoke-Success=
    -o Acquire::Retries=3 -q
  )
  (
    flock 8
    local wanted
    wanted=$(sources "$1" "${3:-main}")
    # A day-old list may name packages that the mirror no longer has.
    if [ "$(cat "$apt_root/etc/sources.list" 2>/dev/null)" != "$wanted" ] || [ -z "$(find "$apt_root/updated" -mtime -1 2>/dev/null)" ]; then
      echo "$wanted" >"$apt_root/etc/sources.list"
      apt-get "${apt_options[@]}" update
      touch "$apt_root/updated"
    fi
  ) 8>"$apt_root/lock"
}

# Downloads the named packages (of the suite and architecture in use) and unpacks their files into a folder.
apt_unpack() { # folder, package…
  local folder=$1 package
  shift
  mkdir -p "$folder" "$WORK/debs"
  (cd "$WORK/debs" && apt-get "${apt_options[@]}" download "$@")
  for package in "$WORK"/debs/*.deb; do
    dpkg-deb --extract "$package" "$folder"
    basename "$package" | sed 's/%3a/:/g; s/\.deb$//' >>"$WORK/packages"
  done
  rm -r "$WORK/debs"
}

# The packages on which a package depends directly.
apt_depends() {
  apt-cache "${apt_options[@]}" depends --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "$1" | sed -n 's/^  Depends: //p'
}
