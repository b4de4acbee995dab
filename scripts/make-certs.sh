#!/usr/bin/env bash
# Makes a CA, a certificate for each Docker host and one for PoolManager, so that daemons can be reached over TLS.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

DIR=certs/docker
CA_DAYS=3650
DAYS=730
# So long before its end a certificate is made anew.
RENEW_SECONDS=$((30 * 24 * 3600))

usage() {
    cat <<END
Usage: scripts/make-certs.sh [--dir DIR] [--days N] [--renew] [--help] HOST [ADDRESS...]

Makes, in DIR ($DIR by default), what Docker needs to be reached over TLS with client certificates:

  ca.pem, ca-key.pem              the CA, for ten years. Whoever has its key can make certificates: keep it off the hosts
  client.pem, client-key.pem      for PoolManager: paste these and ca.pem into admin, at the host's Credentials
  HOST/{ca,server,server-key}.pem for the daemon of HOST: copy these three to /etc/docker/tls there

HOST and each ADDRESS (names and IP addresses) are what the daemon may be called in its URL, tcp://HOST:2376. docs/worker.md says
what to do with them. Safe to run again: what is there stays, unless it ends within 30 days or is for other names; the CA is
never made again. Certificates hold $DAYS days.

  --dir DIR   where to
  --days N    how long certificates hold (not the CA), no longer than the CA does
  --renew     make the client's and HOST's anew, whatever there is
END
}

renew=no names=()
while [ $# -gt 0 ]; do
    case "$1" in
    --dir) DIR=${2:?--dir needs a folder}; shift ;;
    --days) DAYS=${2:?--days needs a number}; shift ;;
    --renew) renew=yes ;;
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && die "unknown option: $1" ;;
    *) names+=("$1") ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || { usage >&2; die "which host?"; }
[[ $DAYS =~ ^[1-9][0-9]{0,3}$ ]] || die "--days must be a number from 1 to 9999"
for name in "${names[@]}"; do
    [[ $name =~ ^[A-Za-z0-9:]([A-Za-z0-9.:_-]*[A-Za-z0-9])?$ ]] || die "$name is no name and no IP address"
done
host=${names[0]}
have openssl || die "no openssl. On Debian or Ubuntu, as root: apt-get install -y openssl"
umask 077
mkdir -p "$DIR/$host"
# One at a time: two would make two CAs.
exec 9>"$DIR/.lock"
flock 9
# What one that was killed left is a key that nobody needs.
rm -rf "$DIR"/.work.*
work=$(mktemp -d "$DIR/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

# quietly COMMAND...: what it says on the way is shown only if it fails.
quietly() {
    "$@" 2>"$work/said" && return 0
    sed 's/^/    | /' "$work/said" >&2
    die "openssl failed: $1 $2"
}

# new_key FILE
new_key() { quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"; }

# holds FILE NAMES: whether FILE.pem is of our CA, holds for a while yet, was made for these names, and FILE-key.pem is its key: a
# run that was killed may have put one of them into its place and not the other.
holds() {
    [ "$renew" = no ] && [ -f "$1.pem" ] && openssl x509 -in "$1.pem" -noout -checkend "$RENEW_SECONDS" >/dev/null &&
        openssl verify -CAfile "$DIR/ca.pem" "$1.pem" >/dev/null 2>&1 && [ "$(cat "$1.names" 2>/dev/null)" = "$2" ] &&
        [ "$(openssl x509 -in "$1.pem" -noout -pubkey)" = "$(openssl pkey -in "$1-key.pem" -pubout 2>/dev/null)" ]
}

# days_of_ca: how many whole days the CA holds yet.
days_of_ca() { echo $((($(date -d "$(openssl x509 -in "$DIR/ca.pem" -noout -enddate | cut -d = -f 2)" +%s) - $(date +%s)) / 86400)); }

# sign SUBJECT EXTENSIONS OUT: a new key and a certificate of our CA for it, as OUT.pem and OUT-key.pem.
sign() {
    local left
    left=$(days_of_ca)
    # Whoever checks a certificate refuses one whose CA has ended, whatever it says itself.
    ((DAYS <= left)) ||
        die "$DIR/ca.pem ends in $left days, before a certificate of $DAYS days would: --days $left at most, or begin a new CA in another folder (--dir)"
    new_key "$work/key.pem"
    quietly openssl req -new -key "$work/key.pem" -subj "/CN=$1" -out "$work/request.pem"
    printf '%s\n' "$2" >"$work/extensions"
    quietly openssl x509 -req -in "$work/request.pem" -CA "$DIR/ca.pem" -CAkey "$DIR/ca-key.pem" -days "$DAYS" -sha256 \
        -set_serial "0x$(openssl rand -hex 16)" -extfile "$work/extensions" -out "$work/cert.pem"
    # Ended between these two, it leaves a pair that does not match, which the next run makes anew.
    chmod 400 "$work/key.pem"
    chmod 444 "$work/cert.pem"
    mv -f "$work/key.pem" "$3-key.pem"
    mv -f "$work/cert.pem" "$3.pem"
}

if [ ! -f "$DIR/ca.pem" ]; then
    new_key "$work/ca-key.pem"
    quietly openssl req -x509 -new -key "$work/ca-key.pem" -days "$CA_DAYS" -sha256 -subj "/CN=PoolManager Docker CA" \
        -addext "basicConstraints=critical,CA:TRUE,pathlen:0" -addext "keyUsage=critical,keyCertSign,cRLSign" -out "$work/ca.pem"
    chmod 400 "$work/ca-key.pem"
    chmod 444 "$work/ca.pem"
    # The key first: without the other, the next run begins anew.
    mv -f "$work/ca-key.pem" "$DIR/ca-key.pem"
    mv -f "$work/ca.pem" "$DIR/ca.pem"
    say "Made a CA: $DIR/ca.pem. Keep $DIR/ca-key.pem safe, and off the hosts."
fi
[ -f "$DIR/ca-key.pem" ] || die "$DIR/ca.pem is there without its key: bring ca-key.pem, or take another folder by --dir"

if holds "$DIR/client" ""; then
    say "$DIR/client.pem stays"
else
    sign poolmanager "basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=clientAuth" "$DIR/client"
    say "Made $DIR/client.pem and client-key.pem, for PoolManager"
fi

list=()
for name in "${names[@]}"; do
    if [[ $name == *:* || $name =~ ^[0-9.]+$ ]]; then list+=("IP:$name"); else list+=("DNS:$name"); fi
done
wanted=$(printf '%s\n' "${list[@]}" | sort -u | tr '\n' ' ')
if holds "$DIR/$host/server" "$wanted"; then
    say "$DIR/$host/server.pem stays"
else
    sign "$host" "basicConstraints=critical,CA:FALSE
keyUsage=critical,digitalSignature
extendedKeyUsage=serverAuth
subjectAltName=$(IFS=,; printf '%s' "${list[*]}")" "$DIR/$host/server"
    printf '%s' "$wanted" >"$DIR/$host/server.names"
    say "Made $DIR/$host/server.pem and server-key.pem, for ${names[*]}"
fi
cp "$DIR/ca.pem" "$work/ca.pem"
mv -f "$work/ca.pem" "$DIR/$host/ca.pem"
