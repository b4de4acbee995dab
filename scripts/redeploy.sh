#!/usr/bin/env bash
# Replaces one service by its new image without losing a request.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/redeploy.sh SERVICE [--help]

Starts a new container of SERVICE (app, admin or nginx) from the image that is there now, and stops the old one once the new one
is healthy and nginx knows it. Make the image first: scripts/build-images.sh, or docker-compose pull.

Requests go on meanwhile. Of admin a second one stands by until the first ends, so the pool is without hands for a second
at most. nginx is reloaded, not replaced: open connections stay.
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
# Secrets that came with a new version.
scripts/make-env.sh

nginx=$("${compose[@]}" ps -q nginx)
[ -n "$nginx" ] || die "nginx does not run: scripts/restart.sh"
if [ "$service" = nginx ]; then
    reload_nginx
    say "nginx goes by its files as they are now"
    exit 0
fi

# A new version may need more of mongo's users, and fails plainly if it lacks it; one that needs none must not wait for a mongo that is
# away just now.
run_mongo_setup || warn "mongo's users could not be looked after; $service goes on with those that are there"
mapfile -t old < <("${compose[@]}" ps -q "$service")
[ ${#old[@]} -gt 0 ] || die "$service does not run: scripts/restart.sh"
# Ended before nginx knows the new ones, it leaves none: a second try would double them.
# shellcheck disable=SC2317  # called by a trap
remove_new() {
    "${compose[@]}" ps -q "$service" | grep -vxF "$(printf '%s\n' "${old[@]}")" | xargs -r docker rm -f >/dev/null || true
}
trap remove_new EXIT
say "Starting ${#old[@]} new beside ${#old[@]} old of $service"
"${compose[@]}" up -d --no-build --no-deps --no-recreate --scale "$service=$((2 * ${#old[@]}))" "$service"
wait_healthy 120 "$service"
mapfile -t all < <("${compose[@]}" ps -q "$service")
mapfile -t new < <(printf '%s\n' "${all[@]}" | grep -vxF "$(printf '%s\n' "${old[@]}")")

# nginx is told of the new ones alone, by address, and only then do the old ones end: one that ended while nginx still knew it could
# break a request off. Afterwards nginx goes by the name again, whatever happens in between.
servers=nginx/$service.servers
usual=$(cat "$servers")
# Renamed into its place: nginx may be reading it at any time.
write_servers() { cat >"$servers.new" && chmod 644 "$servers.new" && mv "$servers.new" "$servers"; }
trap 'remove_new; printf "%s\n" "$usual" | write_servers' EXIT
port=$(sed -n 's/^server [a-z]*:\([0-9]*\).*/\1/p' "$servers")
edge=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$nginx" | grep '_edge$')
for id in "${new[@]}"; do
    printf 'server %s:%s max_fails=2 fail_timeout=5s;\n' \
        "$(docker inspect -f "{{(index .NetworkSettings.Networks \"$edge\").IPAddress}}" "$id")" "$port"
done | write_servers
workers() { docker exec "$nginx" sh -c 'grep -l "nginx: [w]orker" /proc/[0-9]*/cmdline' 2>/dev/null | sort; }
before=$(workers)
reload_nginx
trap 'printf "%s\n" "$usual" | write_servers' EXIT
# Workers of before the reload go by what was before, and end when they have answered what they had.
deadline=$((SECONDS + 45))
while [ -n "$(comm -12 <(printf '%s\n' "$before") <(workers))" ]; do
    ((SECONDS > deadline)) && break
    sleep 0.2
done
for id in "${old[@]}"; do
    docker stop --time 40 "$id" >/dev/null
    docker rm "$id" >/dev/null
done
printf '%s\n' "$usual" | write_servers
trap - EXIT
reload_nginx
say "$service is replaced"
