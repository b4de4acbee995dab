#!/bin/sh
# Builds programs that need no library beside them: for images FROM scratch.
set -eu

usage() {
    cat <<'TEXT'
Usage: scripts/build-static.sh [--present] PROFILE PACKAGE...

Builds the programs of these packages statically, by that profile of Cargo's (release is what ships, quickstart builds fast and runs slowly),
and prints the folder that they are in.

  --present   with the toolchain that rustup has by default, not the one that rust-toolchain.toml pins: for an image that builds, whose
              toolchain is the right one and lacks what only checks of the sources need
TEXT
}

case "${1:-}" in
--help | -h) usage && exit 0 ;;
--present)
    shift
    if command -v rustup >/dev/null; then
        RUSTUP_TOOLCHAIN=$(rustup default | cut -d ' ' -f 1)
        export RUSTUP_TOOLCHAIN
    fi
    ;;
-*) usage >&2 && exit 2 ;;
esac
[ $# -ge 2 ] || { usage >&2 && exit 2; }
profile=$1
shift
for package in "$@"; do
    set -- "$@" -p "$package"
    shift
done
case "$profile" in
dev) folder=debug ;;
*) folder=$profile ;;
esac
target=$(rustc -vV | sed -n 's/^host: //p')
# The target is named so that build scripts and macros, which cannot be static, are built without the flag.
RUSTFLAGS='-C target-feature=+crt-static' cargo build --profile "$profile" --locked --bins "$@" --target "$target" >&2
printf '%s\n' "${CARGO_TARGET_DIR:-target}/$target/$folder"
