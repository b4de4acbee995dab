#!/usr/bin/env bash
# Makes .env with fresh secrets and the key of mongo's replica set, once. Never overwrites.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    cat <<'END'
Usage: scripts/make-env.sh

Makes .env from .env.example with secrets of its own (readable by you alone), and secrets/mongo.key. What is there stays.
END
    exit 0
fi
have openssl || die "no openssl, which makes the secrets. On Debian or Ubuntu, as root: apt-get install -y openssl"
umask 077
if [ ! -f .env ]; then
    # Made aside first: half a file would be taken for a whole one at the next run.
    while IFS= read -r line; do
        case "$line" in
        INTERNAL_SECRET= | MONGO_PASSWORD= | MONGO_ROOT_PASSWORD= | SEAL_KEY=) printf '%s%s\n' "$line" "$(openssl rand -hex 32)" ;;
        ADMIN_PASSWORD=) printf '%s%s\n' "$line" "$(openssl rand -hex 12)" ;;
        *) printf '%s\n' "$line" ;;
        esac
    done <.env.example >.env.new
    mv .env.new .env
    say "Made .env with fresh secrets. Keep a copy in a safe place: without it the data cannot be read again."
fi
if ! grep -q '^SEAL_KEY=.' .env; then
    # Made before there were sealed credentials: what else is in it stays.
    { grep -v '^SEAL_KEY=' .env && printf 'SEAL_KEY=%s\n' "$(openssl rand -hex 32)"; } >.env.new
    mv .env.new .env
    say "Added SEAL_KEY to .env, with which credentials of hosts are sealed. Keep a copy of .env."
fi
if [ ! -f secrets/mongo.key ]; then
    mkdir -p secrets
    openssl rand -base64 756 >secrets/mongo.key.new
    chmod 400 secrets/mongo.key.new
    mv secrets/mongo.key.new secrets/mongo.key
fi
