#!/usr/bin/env bash
# Replaces one service by its new image without losing a request.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh
. scripts/certificates-lib.sh
. scripts/handover-lib.sh

usage() {
    cat <<'END'
Usage: scripts/redeploy.sh SERVICE [--help]

Starts a new container of SERVICE (app, admin or nginx) from the image that is there now, and stops the old one once the new one
is healthy and nginx knows it. Make the image first: scripts/build-images.sh, or docker-compose pull.

Requests go on meanwhile. Of admin a second one stands by until the first ends, so the pool is without hands for a second
at most. nginx is reloaded, not replaced: open connections stay; with docker-compose.tls.yml it is given the certificate that is in
TLS_CERTIFICATES now.

Killed half-way, it is put right by the next one, or by scripts/restart.sh.
END
}

service=${1:-}
case "$service" in
--help | -h) usage && exit 0 ;;
app | admin | nginx) ;;
"") usage >&2 && die "which service?" ;;
*) usage >&2 && die "no service to redeploy is called $service: app, admin or nginx" ;;
esac
need_engine
find_compose
[ -f .env ] || die "no .env here: nothing was started from this folder"
only_one
# Secrets that came with a new version.
scripts/make-env.sh

[ -n "$(running nginx)" ] || die "nginx does not run: scripts/restart.sh"
if [ "$service" = nginx ]; then
    if has_tls; then take_certificates; fi
    reload_nginx
    say "nginx goes by its files as they are now"
    exit 0
fi

settle "$service"
# A new version may need more of mongo's users, and fails plainly if it lacks it; one that needs none must not wait for a mongo that is
# away just now.
run_mongo_setup || warn "mongo's users could not be looked after; $service goes on with those that are there"
mapfile -t old < <(running "$service")
[ ${#old[@]} -gt 0 ] || die "$service does not run: scripts/restart.sh"
# One that was stopped would be started again in the place of a new one.
"${compose[@]}" rm -f "$service" >/dev/null 2>&1 || die "containers of $service that have ended cannot be removed"
write_step "$service" begun "${old[@]}"
new=()
# What fails, or is told to end, before the new ones have taken over leaves none of them: a second try would double them.
# shellcheck disable=SC2317  # called by a trap
give_up() {
    trap '' INT TERM HUP
    "${compose[@]}" ps -q "$service" | grep -vxF "$(printf '%s\n' "${old[@]}")" | xargs -r docker rm -f >/dev/null || true
    rm -f ".redeploy-$service"
}
trap give_up EXIT
say "Starting ${#old[@]} new beside ${#old[@]} old of $service"
"${compose[@]}" up -d --no-build --no-deps --no-recreate --scale "$service=$((2 * ${#old[@]}))" "$service"
# How the old ones are does not matter: this may be what mends them.
not_waited_for=("${old[@]}")
wait_healthy 120 "$service"
mapfile -t new < <(running "$service" | grep -vxF "$(printf '%s\n' "${old[@]}")")
[ ${#new[@]} = ${#old[@]} ] || die "${#new[@]} new of $service run, and not ${#old[@]}; see: ${compose[*]} logs $service"

write_step "$service" taken_over "${old[@]}"
# From here on a run that is broken off is finished by the next one.
trap 'warn "this is not finished: scripts/redeploy.sh $service again, or scripts/restart.sh, finishes it"' EXIT
hand_over "$service" new old
rm -f ".redeploy-$service"
trap - EXIT
say "$service is replaced"
