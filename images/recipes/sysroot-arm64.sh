# The files against which linux-arm64 NativeAOT programs are linked: glibc, libstdc++, OpenSSL and zlib with static libraries.
# inputs: lib/apt.sh lib/sysroot.sh
. "$IMAGES/lib/apt.sh"
. "$IMAGES/lib/sysroot.sh"
sysroot arm64 aarch64-linux-gnu
