# What the measurements share. Read by run.

# A smoke is for finding out whether the measurements run: of the smallest sizes, and its figures are not kept.
SMOKE=${SMOKE:-}
results=tests/bench/results
[ -z "$SMOKE" ] || results=build/bench/smoke
cleanup=()
at_end() { cleanup=("$1" "${cleanup[@]}"); }
clean_up() { local command; for command in "${cleanup[@]}"; do $command || true; done; }

prepare() {
  case $(uname -m) in
    x86_64) architecture=amd64 runtime=linux-x64 ;;
    aarch64) architecture=arm64 runtime=linux-arm64 ;;
    *) echo "bench: no programs for a $(uname -m)" >&2; exit 1 ;;
  esac
  mkdir -p build/bench $results
  make -s --no-print-directory appliance >&2
  packaging/build-netinst "$architecture" >&2
  images/publish-static "$runtime" tests/bench -o build/bench/node --nologo >build/bench/node.log 2>&1 || { tail -n 20 build/bench/node.log >&2; exit 1; }
  image=$(tests/bench/image ${SMOKE:+small})
  work=$(mktemp -d "$PWD/build/bench/run.XXXXXX")
  at_end "rm -rf $work"
  trap clean_up EXIT
}

# Seconds that a command takes; its output is not wanted.
seconds() {
  local started=$EPOCHREALTIME
  "$@" >/dev/null
  awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.3f\n", b - a }'
}

# Runs two measurements, the second before the first in odd rounds, and leaves what they print in $first and $second. A command
# substitution would lose the variables that they set.
in_turn() { # round, command, command
  if (($1 % 2 == 0)); then $2 >"$work/first"; $3 >"$work/second"; else $3 >"$work/second"; $2 >"$work/first"; fi
  first=$(tail -n 1 "$work/first") second=$(tail -n 1 "$work/second")
}

# ---- An appliance with an empty store ----

serve() {
  stop_serving
  data=$work/data
  # The log of the one before says "ready" until this one's begins.
  rm -rf "$data" "$work/token" "$work/appliance.log"
  build/bootstrap serve --data "$data" --https 127.0.0.1:18443 --http 127.0.0.1:18080 --link 127.0.0.1:18444 --tftp off --dhcp off \
    --interface lo --initial-token "$work/token" >"$work/appliance.log" 2>&1 &
  appliance=$!
  at_end stop_serving
  until grep -qs '^ready' "$work/appliance.log"; do
    kill -0 $appliance 2>/dev/null || { cat "$work/appliance.log" >&2; exit 1; }
    sleep 0.1
  done
  export BOOTSTRAP_CONNECTION=$work/connection.json
  build/bootstrap login https://127.0.0.1:18443 --token-file "$work/token" \
    --fingerprint "$(sed -n 's/^CA fingerprint (SHA-256): //p' "$work/appliance.log")" >&2
  build/bootstrap policy set --approve-new >&2
  # The join token stands at the end of what NetInst boots from, not packed.
  build/bench/node/bench-node enrol 127.0.0.1:18444 "$data/ca/ca.pem" "$(tail -q -c 8192 "$data"/boot/initramfs-* | grep -aoP '"joinToken":"\K[^"]+' | head -1)" "$work/node" >&2
}

stop_serving() {
  if [ -n "${appliance-}" ]; then
    kill "$appliance" 2>/dev/null || true
    wait "$appliance" || true
    appliance= clean= stale=
  fi
}

api() { curl -sSf --cacert "$data/ca/ca.pem" -H "Authorization: Bearer $(cat "$work/token")" "https://127.0.0.1:18443/api/v1/$1"; }

# An appliance with both images; those who need it share it.
serve_images() {
  if [ -z "${appliance-}" ] || [ -z "${clean-}" ]; then
    serve
    clean=$(import_image bench.img)
    stale=$(import_image stale.img)
  fi
}

import_image() { # file; prints the image's digest
  build/bootstrap images import "$image/$1" --name "${1%.img}" --architecture "$architecture" >&2
  api images | jq -r --arg name "${1%.img}" '.[] | select(.name == $name) | .digest'
}

# By default an image is private: all of it goes by TLS, with the node's certificate.
node_install() { # digest
  build/bench/node/bench-node install "$device" "$1" https://127.0.0.1:18444 "$work/node" >"$work/node.json"
}

# As a board does it whose processor has no instructions for AES.
node_install_chacha() { DOTNET_EnableAES=0 node_install "$1"; }

node_install_public() { # digest
  build/bootstrap images publish "$1" >&2
  build/bench/node/bench-node install "$device" "$1" http://127.0.0.1:18080 "$data/ca/ca.pem" >"$work/node.json"
  build/bootstrap images unpublish "$1" >&2
}

# ---- Peers ----

# The programs of daemons, taken out of their packages so that nothing is installed and started; prints the folder, one for each list.
peers() { # package…
  local folder
  folder=$PWD/build/bench/peers/$(IFS=+; echo "$*")
  if [ ! -d "$folder" ]; then
    rm -rf "$folder.new"
    mkdir -p "$folder.new"
    (cd "$folder.new" && apt-get -q download "$@" >apt.log 2>&1 && for package in *.deb; do dpkg-deb -x "$package" .; done) ||
      { cat "$folder.new/apt.log" >&2; exit 1; }
    mv "$folder.new" "$folder"
  fi
  echo "$folder"
}

# ---- A block device in RAM ----

ram_device() {
  if [ -z "${device-}" ]; then
    disk=/dev/shm/bootstrap-bench.$$
    truncate -s "$([ -z "$SMOKE" ] && echo 2G || echo 512M)" "$disk"
    device=$(losetup --find --show "$disk")
    at_end remove_device
    # Every page is there before anything is measured: the first to write does not pay for memory.
    dd if=/dev/zero of="$device" bs=4M oflag=direct status=none 2>/dev/null || true
  fi
}

remove_device() { losetup -d "$device"; rm -f "$disk"; }

# The seventh field of a block device's statistics: sectors of 512 bytes (Documentation/block/stat.rst).
bytes_written() {
  local fields
  sync "$device"
  read -ra fields <"/sys/block/${device#/dev/}/stat"
  echo $((fields[6] * 512))
}

# ---- Holding it at a speed ----

hold_device() { # bytes a second
  local number
  number=$(cat "/sys/block/${device#/dev/}/dev")
  if grep -qs '\bio\b' /sys/fs/cgroup/cgroup.controllers; then
    group=/sys/fs/cgroup/bootstrap-bench
    echo +io >/sys/fs/cgroup/cgroup.subtree_control
    mkdir -p $group
    limit=$group/io.max
    echo "$number wbps=$1" >$limit
    unlimited="$number wbps=max"
  else
    # Version 1 does not know whose cached pages are written: the limit holds for all, on this device.
    group=/sys/fs/cgroup/blkio
    limit=$group/blkio.throttle.write_bps_device
    echo "$number $1" >$limit
    unlimited="$number 0"
  fi
  at_end release_device
}

held() ( # command…
  echo "$BASHPID" >"$group/cgroup.procs"
  "$@"
)

release_device() {
  if [ -n "${unlimited-}" ]; then
    echo "$unlimited" >"$limit"
    unlimited=
    case $group in *bench) rmdir "$group" ;; esac
  fi
}

# ---- Results ----

millions() { printf '%s\n' "$@" | awk '{ printf "%s%.1f", (NR > 1 ? " " : ""), $1 / 1e6 }'; }

result() { # name, what, peer, unit, values, the peer's values, ratio (a/b or "ours"), aim
  jq -n --arg name "$1" --arg what "$2" --arg peerIs "$3" --arg unit "$4" --arg ours "$5" --arg peer "$6" --arg ratio "$7" --arg aim "$8" \
    --arg load "$(cut -d' ' -f1 /proc/loadavg)" --arg machine "$(machine)" --arg date "$(date -u +%F)" --arg commit "$(commit)" '
    def median: sort | .[length / 2 | floor];
    ($ours | split(" ") | map(tonumber)) as $o | ($peer | split(" ") | map(select(. != "") | tonumber)) as $p
    | if $o == [] then error("nothing was measured: \($name)") else . end
    | { ours: ($o | median), peer: (if $p == [] then null else $p | median end) } as $m
    | { name: $name, what: $what, peerIs: $peerIs, unit: $unit, ours: $o, peer: $p, median: $m,
        ratio: (if $ratio == "ours/peer" then $m.ours / $m.peer elif $ratio == "peer/ours" then $m.peer / $m.ours
                elif $ratio == "ours" then null else $m.ours / ($ratio | split("/")[1] | tonumber) end),
        ratioIs: $ratio, aim: $aim, load: ($load | tonumber), machine: $machine, date: $date, commit: $commit }' >"$results/$1.json.tmp"
  mv "$results/$1.json.tmp" "$results/$1.json"
  jq -r '"bench: \(.name): \(.ours) \(.unit), peer \(.peer), ratio \(.ratio), aim \(.aim), load \(.load)"' "$results/$1.json" >&2
}

# What was measured; with a + where it is not committed.
commit() { echo "$(git rev-parse --short=12 HEAD)$(git diff --quiet HEAD -- . ':!tests/bench/results' || echo +)"; }

machine() { echo "$(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores, Linux $(uname -r | cut -d. -f1-2)"; }
