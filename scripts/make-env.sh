#!/usr/bin/env bash
# Makes .env with fresh secrets, once, and the files of secrets that containers read. Never overwrites a secret.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat <<'END'
Usage: scripts/make-env.sh

Makes .env from .env.example with secrets of its own (readable by you alone), and the files in secrets/ that containers read. What
is there stays.
END
    exit 0
fi
have openssl || die "no openssl, which makes the secrets. On Debian or Ubuntu, as root: apt-get install -y openssl"
umask 077
trap 'rm -f .env.new secrets/*.new secrets/*/*.new' EXIT
# secret BYTES: so many, in hexadecimal. Without it nothing is made: a failure within a word of a command would go unseen.
secret() { openssl rand -hex "$1" || die "openssl made no secret"; }
if [ ! -f .env ]; then
    # Made aside first: half a file would be taken for a whole one at the next run.
    while IFS= read -r line; do
        case "$line" in
        INTERNAL_SECRET= | MONGO_PASSWORD= | MONGO_APP_PASSWORD= | MONGO_ROOT_PASSWORD= | SEAL_KEY= | METRICS_TOKEN=) value=$(secret 32); printf '%s%s\n' "$line" "$value" ;;
        ADMIN_PASSWORD= | GRAFANA_ADMIN_PASSWORD=) value=$(secret 12); printf '%s%s\n' "$line" "$value" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <.env.example >.env.new
    mv .env.new .env
    say "Made .env with fresh secrets. Keep a copy in a safe place: without it the data cannot be read again."
fi
# add_secret NAME BYTES FOR: to a .env that was made before there was this one; what else is in it stays.
add_secret() {
    local value
    if grep -q "^$1=." .env; then return 0; fi
    value=$(secret "$2")
    { grep -v "^$1=" .env && printf '%s=%s\n' "$1" "$value"; } >.env.new
    mv .env.new .env
    say "Added $1 to .env: $3. Keep a copy of .env."
}
add_secret MONGO_APP_PASSWORD 32 "as whom app comes to mongo"
add_secret SEAL_KEY 32 "credentials of hosts are sealed with it"
add_secret GRAFANA_ADMIN_PASSWORD 12 "for Grafana's user admin, with docker-compose.monitoring.yml"
add_secret METRICS_TOKEN 32 "whoever reads /metrics shows it"

# Nobody else gets through this folder; what is in it is readable by whom a container runs as, without belonging to it.
mkdir -p secrets
chmod 700 secrets
# For Prometheus, which reads it each time.
token=$(setting METRICS_TOKEN '')
if [ "$token" != "$(cat secrets/metrics/token 2>/dev/null)" ]; then
    mkdir -p secrets/metrics
    chmod 755 secrets/metrics
    printf '%s' "$token" >secrets/metrics/token.new
    chmod 444 secrets/metrics/token.new
    mv -f secrets/metrics/token.new secrets/metrics/token
fi
if [ ! -f secrets/mongo.key ]; then
    openssl rand -base64 756 >secrets/mongo.key.new
    chmod 400 secrets/mongo.key.new
    mv secrets/mongo.key.new secrets/mongo.key
fi
