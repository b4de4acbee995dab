#!/usr/bin/env bash
# Backs up all records of the store while everything goes on, by PoolManager's own program.
set -euo pipefail
from=$PWD
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/backup.sh [FILE] [--plain] [--help]

Writes all records of the store to FILE (backups/poolmanager-TIME.backup by default), as they stand at one moment. FILE is there
only when it is whole, and its owner alone may read it: it holds hashes of passwords and names of users. Not in it: .env and
secrets/, of which keep a copy of your own, apart from it.

Without --plain: of the deployment that scripts/restart.sh started from this folder, by the program in admin's container.
--plain: by poolmanager-admin on the PATH (or POOLMANAGER_ADMIN), of the store that the environment names (DATA_DIR, MONGO_URL).

To restore: scripts/restore.sh FILE
END
}

plain=no file=
for arg in "$@"; do
    case "$arg" in
    --plain) plain=yes ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && die "unknown option: $arg" ;;
    *) [ -z "$file" ] || die "one file only"; file=$arg ;;
    esac
done
umask 077
if [ -z "$file" ]; then
    mkdir -p backups
    file=backups/poolmanager-$(date -u +%Y%m%dT%H%M%SZ).backup
elif [ "${file#/}" = "$file" ]; then
    # From where the caller stands, as everywhere.
    file=$from/$file
fi
if [ "$plain" = yes ]; then exec "$(admin_program)" backup "$file"; fi

need_engine
find_compose
[ -f .env ] || die "no .env here: nothing was started from this folder. Of a store without containers: scripts/backup.sh --plain"
only_one
# Secrets that came with a new version: without them Compose does nothing.
scripts/make-env.sh >&2
[ ! -e "$file" ] || die "$file is there already; name another file"
trap 'rm -f "$file.partial"' EXIT
mapfile -t admins < <(running admin)
if [ ${#admins[@]} -gt 0 ]; then
    # Compose 1.29 would ask for container number 1, which scripts/redeploy.sh leaves none of.
    docker exec "${admins[0]}" /poolmanager-admin backup - >"$file.partial" || die "nothing was backed up"
else
    start_mongo
    "${compose[@]}" run --rm -T --no-deps admin backup - >"$file.partial" || die "nothing was backed up"
fi
sync "$file.partial"
mv -n "$file.partial" "$file"
say "The backup is $file ($(stat -c %s "$file") bytes)"
printf '%s\n' "$file"
