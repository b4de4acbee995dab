# shellcheck shell=bash
# The certificate that nginx shows, with docker-compose.tls.yml. Sourced after deploy-lib.sh.

# take_certificates: puts the certificate (with its chain) and the key that TLS_CERTIFICATES names into secrets/nginx/server.pem, if
# they are good. One file, which nginx takes for both, so that they change at once; a copy, so that it may come from anywhere, by
# symbolic links too, and keeps its owner there.
take_certificates() {
    local folder chain key copy=secrets/nginx/server.pem
    folder=$(setting TLS_CERTIFICATES ./certs/nginx)
    if [ -e "$folder/fullchain.pem" ]; then
        chain=$folder/fullchain.pem key=$folder/privkey.pem
    else
        chain=$folder/server.pem key=$folder/server-key.pem
    fi
    check_pair "$chain" "$key"
    if ! openssl x509 -in "$chain" -noout -checkend 0 >/dev/null; then
        warn "$chain has expired: clients will refuse it"
    elif ! openssl x509 -in "$chain" -noout -checkend $((14 * 24 * 3600)) >/dev/null; then
        warn "$chain ends within two weeks ($(openssl x509 -in "$chain" -noout -enddate | cut -d = -f 2))"
    fi
    # secrets lets nobody else through, so whoever nginx runs as may read what is in this folder.
    mkdir -p "${copy%/*}"
    chmod 700 secrets
    chmod 755 "${copy%/*}"
    rm -f "$copy.new"
    (umask 077 && { cat "$key" && echo && cat "$chain"; } >"$copy.new")
    chmod 444 "$copy.new"
    if cmp -s "$copy.new" "$copy"; then rm -f "$copy.new" && return 0; fi
    mv -f "$copy.new" "$copy"
    say "nginx is given the certificate $chain, which holds until $(openssl x509 -in "$chain" -noout -enddate | cut -d = -f 2)"
}

# check_pair CERTIFICATE KEY: that both are there and belong together.
check_pair() {
    local file said in_certificate in_key
    for file in "$1" "$2"; do
        [ -r "$file" ] || die "$file is not there or cannot be read: the certificate that nginx shows, or its key. TLS_CERTIFICATES in .env names the folder of fullchain.pem and privkey.pem, or of server.pem and server-key.pem"
    done
    in_certificate=$(openssl x509 -in "$1" -noout -pubkey 2>&1) || die "$1 is no certificate: $in_certificate"
    # A key with a passphrase is refused too: nginx could not ask for it.
    in_key=$(openssl pkey -in "$2" -passin pass: -pubout 2>/dev/null) || {
        said=$(openssl pkey -in "$2" -passin pass: -noout 2>&1 || true)
        die "$2 is no key without a passphrase: ${said%%$'\n'*}"
    }
    [ "$in_certificate" = "$in_key" ] || die "$1 and $2 do not belong together"
}
