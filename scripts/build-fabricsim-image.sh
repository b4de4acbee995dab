#!/bin/sh
# Builds the image of fabricsim, the stand-in for a Fabric 0.6 peer.
set -eu

usage() {
    cat <<'TEXT'
Usage: scripts/build-fabricsim-image.sh [--profile NAME] [--force] [TAG...]

Builds a static fabricsim and puts it into an image FROM scratch.

  TAG             what to call the image; default: poolmanager/fabricsim:0.6
  --profile NAME  Cargo profile to build with; default: quickstart (the fastest build)
  --force         build even if each TAG is there already, made from the same sources

Uses the engine of DOCKER_HOST, or the local one. Does nothing if that has every TAG, made from the same sources.
TEXT
}

say() { echo "fabricsim image: $*" >&2; }
fail() { say "$*"; exit 1; }

profile=quickstart
force=
tags=
while [ $# -gt 0 ]; do
    case $1 in
        --help | -h) usage; exit 0 ;;
        --profile) [ $# -ge 2 ] || fail "--profile needs a name"; profile=$2; shift ;;
        --profile=*) profile=${1#--profile=} ;;
        --force) force=yes ;;
        -*) usage >&2; fail "unknown option: $1" ;;
        *[!A-Za-z0-9._/:@-]*) fail "not an image's name: $1" ;;
        *) tags="$tags $1" ;;
    esac
    shift
done
tags=${tags:-poolmanager/fabricsim:0.6}

cd "$(dirname "$0")/.."
for tool in docker cargo rustc sha256sum; do
    command -v "$tool" >/dev/null || fail "$tool is not there; ./scripts/real-parts.sh installs what is needed"
done
docker version --format '{{.Server.Version}}' >/dev/null 2>&1 ||
    fail "no Docker engine answers at ${DOCKER_HOST:-its usual socket}; ./scripts/real-parts.sh starts one"

# Everything that the binary is made from. Cargo.lock as a whole: a changed dependency elsewhere costs one needless build.
label=org.poolmanager.source
source=$({
    echo "$profile"
    rustc -vV
    for file in Cargo.toml Cargo.lock rust-toolchain.toml scripts/build-fabricsim-image.sh; do
        sha256sum "$file"
    done
    find crates/fabricsim/Cargo.toml crates/fabricsim/Dockerfile crates/fabricsim/src -type f | LC_ALL=C sort |
        while IFS= read -r file; do sha256sum "$file"; done
} | sha256sum | cut -d ' ' -f 1)

missing=
for tag in $tags; do
    had=$(docker image inspect --format "{{index .Config.Labels \"$label\"}}" "$tag" 2>/dev/null || true)
    [ "$had" = "$source" ] || missing="$missing $tag"
done
if [ -z "$missing" ] && [ -z "$force" ]; then
    say "${tags# } is there already, made from these sources"
    exit 0
fi

target=$(rustc -vV | sed -n 's/^host: //p')
say "building a static binary for $target (profile $profile)"
began=$(date +%s)
# --target, though it is the host's: without it the flag would reach build scripts and macros too, which cannot be static.
# Output goes to standard error: standard output has the binary's path, as Cargo tells it.
binary=$(RUSTFLAGS='-C target-feature=+crt-static' cargo build --locked --profile "$profile" --target "$target" \
    --package fabricsim --bin fabricsim --message-format json-render-diagnostics |
    sed -n 's/.*"executable":"\([^"]*\/fabricsim\)".*/\1/p')
[ -x "$binary" ] || fail "the build gave no binary"

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
trap 'exit 1' INT TERM HUP
mkdir "$folder/ledger"
cp crates/fabricsim/Dockerfile "$folder/"
# Symbols are of no use in a container, and are most of the file.
if command -v strip >/dev/null; then strip -o "$folder/fabricsim" "$binary"; else cp "$binary" "$folder/fabricsim"; fi
chmod 755 "$folder/fabricsim" "$folder/ledger"

set --
for tag in $tags; do set -- "$@" --tag "$tag"; done
# The builder that every engine has; its note that it is an old one would only be noise.
DOCKER_BUILDKIT=0 docker build --quiet --label "$label=$source" "$@" "$folder" >/dev/null 2>"$folder.log" || {
    cat "$folder.log" >&2
    rm -f "$folder.log"
    fail "docker build failed"
}
rm -f "$folder.log"
first=${tags# }
size=$(docker image inspect --format '{{.Size}}' "${first%% *}")
say "built ${tags# } in $(($(date +%s) - began)) s, $((size / 1024)) KiB"
