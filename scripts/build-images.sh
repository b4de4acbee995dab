#!/usr/bin/env bash
# Makes the images of app and admin.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/build-images.sh [--prebuilt] [--help]

Builds the images that docker-compose.yml names (APP_IMAGE, ADMIN_IMAGE), from the sources here, in containers of RUST_IMAGE and
NODE_IMAGE.

  --prebuilt   for a machine that cannot pull these: builds the static programs with the cargo and npm of this machine into dist/
               (what is newer than its sources stays), then puts them into images
END
}

prebuilt=no
case "${1:-}" in
"") ;;
--prebuilt) prebuilt=yes ;;
--help | -h) usage && exit 0 ;;
*) usage >&2 && die "unknown option: $1" ;;
esac
need_engine
app=$(setting APP_IMAGE poolmanager/app:0.1)
admin=$(setting ADMIN_IMAGE poolmanager/admin:0.1)
rust=$(setting RUST_IMAGE rust:1.95-bookworm)
node=$(setting NODE_IMAGE node:24-bookworm-slim)
log="$(state_dir)/build-images.log"

if [ "$prebuilt" = yes ]; then
    have cargo || die "no cargo. Install Rust by rustup (https://rustup.rs)"
    scripts/build-ui.sh || exit 1
    target=$(rustc -vV | sed -n 's/^host: //p')
    # The target is named so that build scripts and macros are not made static too.
    with_progress "building static programs (some ten minutes the first time)" "$log" \
        env RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked -p app -p admin --target "$target" || exit 1
    mkdir -p dist
    for program in poolmanager-app poolmanager-admin; do
        strip -o "dist/$program" "${CARGO_TARGET_DIR:-target}/$target/release/$program"
    done
    with_progress "image $app" "$log" docker build --target app-prebuilt -t "$app" . || exit 1
    with_progress "image $admin" "$log" docker build --target admin-prebuilt -t "$admin" . || exit 1
else
    for image in "$rust" "$node"; do
        docker image inspect "$image" >/dev/null 2>&1 || with_progress "pulling $image" "$log" docker pull "$image" ||
            die "$image cannot be pulled. Name another by RUST_IMAGE or NODE_IMAGE in .env, or build on this machine: scripts/restart.sh --prebuilt"
    done
    with_progress "image $app (some ten minutes the first time)" "$log" \
        docker build --target app --build-arg "RUST_IMAGE=$rust" --build-arg "NODE_IMAGE=$node" -t "$app" . || exit 1
    with_progress "image $admin" "$log" \
        docker build --target admin --build-arg "RUST_IMAGE=$rust" --build-arg "NODE_IMAGE=$node" -t "$admin" . || exit 1
fi
docker image ls --format '  {{.Repository}}:{{.Tag}}  {{.Size}}' | grep -E "^  ($app|$admin) " >&2 || true
