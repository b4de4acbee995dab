#!/usr/bin/env bash
# Stops what scripts/restart.sh started. Data, secrets and users' networks stay.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat <<'END'
Usage: scripts/stop.sh

Stops nginx, app, admin and mongo in order and removes their containers. Data and secrets stay, and so do the networks that
users hold: they run on, and are looked after again after scripts/restart.sh.
END
    exit 0
fi
[ $# = 0 ] || die "unknown option: $1; see --help"
need_engine
find_compose
[ -f .env ] || die "no .env here: nothing was started from this folder"
only_one
# Secrets that came with a new version: without them Compose does nothing.
scripts/make-env.sh
"${compose[@]}" down --remove-orphans
say "Stopped. To start again: scripts/restart.sh"
