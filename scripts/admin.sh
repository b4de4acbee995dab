#!/usr/bin/env bash
# Runs a command of poolmanager-admin in the deployment.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/admin.sh COMMAND [ARGUMENT...]

Runs poolmanager-admin with these arguments in an admin that runs: token create --user alice, operator reset otto, ...
All commands: scripts/admin.sh help, or docs/admin.md. (docker-compose exec finds no admin that scripts/redeploy.sh has replaced,
if it is Compose 1.29: it asks for container number 1.)
END
}
case "${1:-}" in
-h | --help) usage; exit 0 ;;
"") usage >&2; exit 2 ;;
esac
need_engine
find_compose
[ -f .env ] || die "no .env here: nothing was started from this folder"
mapfile -t admins < <(running admin)
[ ${#admins[@]} -gt 0 ] || die "admin does not run: scripts/restart.sh"
terminal=()
if [ -t 0 ] && [ -t 1 ]; then terminal=(-t); fi
exec docker exec -i ${terminal[@]+"${terminal[@]}"} "${admins[0]}" /poolmanager-admin "$@"
