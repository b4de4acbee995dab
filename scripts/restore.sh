#!/usr/bin/env bash
# Puts what a backup holds in the place of the store's records: all or nothing.
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh
. scripts/handover-lib.sh

usage() {
    cat <<'END'
Usage: scripts/restore.sh FILE [--replace] [--plain] [--help]

Stops app and admin, restores FILE (which scripts/backup.sh made), and starts them again. A file that was cut off or altered
changes nothing. On a new machine: scripts/restart.sh first, which makes secrets and an empty store.

  --replace  the store has a pool already: remove its hosts, clusters and ended leases for good
  --plain    by poolmanager-admin on the PATH (or POOLMANAGER_ADMIN), into the store that the environment names (DATA_DIR,
             MONGO_URL); stop app and admin yourself before

When admin starts again it looks at every host: networks of this pool that are not in the backup are removed, those that users
got after the backup too. No second PoolManager may run with the same backup and the same hosts: each would remove what the
other makes. docs/operations.md says more.
END
}

plain=no file='' options=()
for arg in "$@"; do
    case "$arg" in
    --plain) plain=yes ;;
    --replace) options+=(--replace) ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && die "unknown option: $arg" ;;
    *) [ -z "$file" ] || die "one file only"; file=$arg ;;
    esac
done
[ -n "$file" ] || { usage >&2; die "which file?"; }
# From where the caller stands, as everywhere.
if [ "${file#/}" = "$file" ]; then file=$from/$file; fi
[ -r "$file" ] || die "$file cannot be read"
if [ "$plain" = yes ]; then exec "$(admin_program)" restore "$file" ${options[@]+"${options[@]}"}; fi

need_engine
find_compose
[ -f .env ] || die "no .env here: run scripts/restart.sh first, which makes secrets and an empty store"
only_one
# Secrets that came with a new version: without them Compose does nothing.
scripts/make-env.sh
settle app
settle admin
say "Stopping app and admin"
trap 'warn "app and admin are stopped; to start them again: scripts/restart.sh"' EXIT
"${compose[@]}" stop app admin
start_mongo
status=0
"${compose[@]}" run --rm -T --no-deps admin restore - ${options[@]+"${options[@]}"} <"$file" || status=$?
say "Starting app and admin again"
"${compose[@]}" up -d --no-build || die "could not bring the services up; see above, and: ${compose[*]} logs"
wait_healthy 120 app admin
trap - EXIT
# They may have other addresses than before.
reload_nginx
[ "$status" = 0 ] || { warn "nothing was restored; see above"; exit "$status"; }
say "$file is restored"
