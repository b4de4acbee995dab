#!/usr/bin/env bash
# Makes a stand-in of an image that builds ours, for tests on a machine that reaches no container registry.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'END'
Usage: scripts/stand-in-builder.sh rust|node IMAGE [--help]

Prints IMAGE where it is there or can be pulled. Else makes an image that stands in for it out of Debian's packages (by
debootstrap, some minutes), and prints that one's name:

  rust   gcc and make, and the Rust toolchain of this machine
  node   Node.js and npm of this machine, if that node needs nothing but Debian's own libraries

Both believe the CAs that this machine believes, so that they reach package registries as it does. For tests only. What is there
stays.
END
}

case "${1:-}" in
--help | -h) usage && exit 0 ;;
rust)
    version=$(rustc -V | cut -d ' ' -f 2)
    image=poolmanager-test/builder-rust:$version packages=gcc,libc6-dev,make,ca-certificates
    ;;
node) image=poolmanager-test/builder-node:1 packages=libstdc++6,ca-certificates ;;
*) usage >&2 && die "rust or node?" ;;
esac
wanted=${2:?the name of an image}

for there in "$wanted" "$image"; do
    if docker image inspect "$there" >/dev/null 2>&1; then
        printf '%s\n' "$there"
        exit 0
    fi
done
log="$(state_dir)/stand-in-builder.log"
if timeout 600 docker pull -q "$wanted" >"$log" 2>&1; then
    printf '%s\n' "$wanted"
    exit 0
fi
say "NOT RUN with $wanted: it cannot be pulled here ($(tail -n 1 "$log" | cut -c 1-120))"
say "Making $image, which stands in for it, out of Debian's packages"
[ "$(id -u)" = 0 ] || die "debootstrap needs root"
have debootstrap || apt_install "the stand-in image" debootstrap
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
# shellcheck disable=SC2016
mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | sort -u | head -n 1)
with_progress "debootstrap" "$log" debootstrap --variant=minbase --include="$packages" bookworm "$root/tree" ${mirror:+"$mirror"} || exit 1
rm -rf "$root"/tree/var/cache/apt/archives/*.deb "$root"/tree/var/lib/apt/lists/* "$root"/tree/usr/share/{doc,man,locale}
# A machine may reach the registries by something that has a CA of its own.
if [ -f /etc/ssl/certs/ca-certificates.crt ]; then
    cp /etc/ssl/certs/ca-certificates.crt "$root/tree/etc/ssl/certs/ca-certificates.crt"
fi
if [ "$1" = rust ]; then
    # Programs and libraries; documents and sources are most of it.
    tar -C "$(rustc --print sysroot)" -c --exclude 'lib/rustlib/src' --exclude 'lib/rustlib/wasm*' bin lib |
        tar -C "$root/tree/usr/local" -x
fi
if [ "$1" = node ]; then
    mkdir -p "$root/tree/usr/local/lib/node_modules"
    cp "$(readlink -f "$(command -v node)")" "$root/tree/usr/local/bin/node"
    cp -R "$(npm root -g)/npm" "$root/tree/usr/local/lib/node_modules/npm"
    ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/tree/usr/local/bin/npm"
    chroot "$root/tree" node --version >/dev/null || die "the node of this machine does not run by itself: there is no stand-in for $wanted"
fi
cas=/etc/ssl/certs/ca-certificates.crt
tar -C "$root/tree" -c . | docker import -c "ENV SSL_CERT_FILE=$cas NODE_EXTRA_CA_CERTS=$cas CARGO_HTTP_CAINFO=$cas" \
    -c 'CMD ["bash"]' - "$image" >/dev/null
printf '%s\n' "$image"
