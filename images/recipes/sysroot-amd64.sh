# The files against which linux-x64 NativeAOT programs are linked: glibc, libstdc++, OpenSSL and zlib with static libraries.
# inputs: lib/apt.sh lib/sysroot.sh
. "$IMAGES/lib/apt.sh"
. "$IMAGES/lib/sysroot.sh"
sysroot amd64 x86_64-linux-gnu
