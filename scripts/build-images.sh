#!/usr/bin/env bash
# Makes the images of app and admin.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/build-images.sh [--prebuilt] [--profile NAME] [--help]

Builds the images that docker-compose.yml names (APP_IMAGE, ADMIN_IMAGE), from the sources here, in containers of RUST_IMAGE and
NODE_IMAGE.

  --prebuilt       for a machine that cannot pull these: builds the static programs with the cargo and npm of this machine into
                   dist/ (what is newer than its sources stays), then puts them into images
  --profile NAME   Cargo's profile: release, which is what ships, unless said; quickstart builds fast and runs slowly, for tests
END
}

prebuilt=no profile=release
while [ $# -gt 0 ]; do
    case "$1" in
    --prebuilt) prebuilt=yes ;;
    --profile) profile=${2:?--profile needs a name}; shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $1" ;;
    esac
    shift
done
need_engine
app=$(setting APP_IMAGE poolmanager/app:0.1)
admin=$(setting ADMIN_IMAGE poolmanager/admin:0.1)
rust=$(setting RUST_IMAGE rust:1.95-bookworm)
node=$(setting NODE_IMAGE node:24-bookworm-slim)
log="$(state_dir)/build-images.log"

# What they are made from, as their labels say it. The time is the commit's, so that the same sources give the same image.
labels=(--build-arg "VERSION=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)")
if revision=$(git rev-parse HEAD 2>/dev/null) && [ -z "$(git rev-parse --show-prefix)" ]; then
    [ -z "$(git status --porcelain 2>/dev/null)" ] || revision+=-dirty
    labels+=(--label "org.opencontainers.image.revision=$revision" --label "org.opencontainers.image.created=$(git log -1 --format=%cI)")
    # Without a name or password that stands in it.
    source=$(git remote get-url origin 2>/dev/null | sed -n 's|^\(https*://\)\([^/@]*@\)\{0,1\}|\1|p' || true)
    [ -z "$source" ] || labels+=(--label "org.opencontainers.image.source=$source")
else
    warn "no git here, or no repository: the images do not say from which commit they are"
fi

if [ "$prebuilt" = yes ]; then
    have cargo || die "no cargo. Install Rust by rustup (https://rustup.rs)"
    scripts/build-ui.sh || exit 1
    folder=$(mktemp)
    trap 'rm -f "$folder"' EXIT
    # shellcheck disable=SC2016
    with_progress "building static programs (some ten minutes the first time)" "$log" \
        sh -c 'scripts/build-static.sh "$1" app admin >"$2"' sh "$profile" "$folder" || exit 1
    built=$(cat "$folder")
    mkdir -p dist
    for program in poolmanager-app poolmanager-admin; do strip -o "dist/$program" "$built/$program"; done
    with_progress "image $app" "$log" docker build "${labels[@]}" --target app-prebuilt -t "$app" . || exit 1
    with_progress "image $admin" "$log" docker build "${labels[@]}" --target admin-prebuilt -t "$admin" . || exit 1
else
    for image in "$rust" "$node"; do
        docker image inspect "$image" >/dev/null 2>&1 || with_progress "pulling $image" "$log" docker pull "$image" ||
            die "$image cannot be pulled. Name another by RUST_IMAGE or NODE_IMAGE in .env, or build on this machine: scripts/restart.sh --prebuilt"
    done
    # A builder that makes every stage above its target (without BuildKit) wants these, and does nothing with them.
    mkdir -p dist
    for program in poolmanager-app poolmanager-admin; do [ -e "dist/$program" ] || : >"dist/$program"; done
    arguments=("${labels[@]}" --build-arg "RUST_IMAGE=$rust" --build-arg "NODE_IMAGE=$node" --build-arg "CARGO_PROFILE=$profile")
    with_progress "image $app (some ten minutes the first time)" "$log" \
        docker build --target app "${arguments[@]}" -t "$app" . || exit 1
    with_progress "image $admin" "$log" \
        docker build --target admin "${arguments[@]}" -t "$admin" . || exit 1
fi
docker image ls --format '  {{.Repository}}:{{.Tag}}  {{.Size}}' | grep -E "^  ($app|$admin) " >&2 || true
