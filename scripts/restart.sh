#!/usr/bin/env bash
# (Re)starts PoolManager from docker-compose.yml. First version: see docs/operations.md.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat <<'END'
Usage: scripts/restart.sh

Builds and (re)starts nginx, app, admin and mongo in containers, from docker-compose.yml and .env. To stop: docker-compose down
END
    exit 0
fi

have docker || die "no docker command. On Debian or Ubuntu, as root: apt-get install -y docker.io docker-compose"
url=$(docker_url)
docker version >/dev/null 2>&1 || die "no Docker engine answers at $url: start it, or check that you may use it (group docker)"
if have docker-compose; then
    compose=(docker-compose)
elif docker compose version >/dev/null 2>&1; then
    compose=(docker compose)
else
    die "no Compose tool. On Debian or Ubuntu, as root: apt-get install -y docker-compose"
fi
[ -f .env ] || die "no .env: cp .env.example .env, then fill it in"
"${compose[@]}" config >/dev/null || die "docker-compose.yml with this .env is not right; see above"

# The same answer that Compose gives for the variable: the environment, else .env, else the default.
data=${MONGO_DATA:-$(sed -n 's/^MONGO_DATA=//p' .env | tail -n 1)}
data=${data:-/opt/poolmanager/mongo}
if [ ! -d "$data" ]; then
    say "Making the data folder $data"
    mkdir -p "$data" || die "could not make $data: be root, or set MONGO_DATA in .env"
fi

"${compose[@]}" up -d --build --remove-orphans || die "could not bring the services up; see above, and: ${compose[*]} logs"
"${compose[@]}" ps
