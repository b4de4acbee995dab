#!/bin/sh
# Runs nginx, keeps what clients sent out of its error log, and has it look again once app or admin have other addresses.
configuration=/etc/nginx/poolmanager/nginx.conf

addresses() {
    for name in app admin; do getent ahostsv4 "$name" | cut -d ' ' -f 1 | sort -u; done
}

# nginx asks for addresses only when it reads its configuration, and a container that starts again may get another one, even that
# of its neighbour.
follow() {
    seen=$1
    while sleep 2; do
        now=$(addresses)
        # One that has no address now cannot be looked up: the others go on as they are until it is back.
        if [ "$now" != "$seen" ] && nginx -t -q -c "$configuration" 2>/dev/null; then
            kill -HUP 1 && seen=$now
        fi
    done
}

# Since 1.27.4 a kept connection need not be closed by a reload at the moment at which its client uses it again.
echo 'keepalive_min_timeout 5s;' >/tmp/poolmanager-keepalive.conf
nginx -t -q -c "$configuration" 2>/dev/null || rm /tmp/poolmanager-keepalive.conf
# What is wrong with the configuration is said here: what nginx itself says as it ends may not get through what follows.
nginx -t -q -c "$configuration" || exit 1

# nginx writes the whole line of a request beside an error, with its query, in which old clients have tokens. Cut off from there on;
# which server it was about is kept. The access log has the path and the request's id.
errors=/tmp/poolmanager-errors
rm -f "$errors"
mkfifo -m 600 "$errors"
unbuffered=-u
sed -u '' </dev/null 2>/dev/null || unbuffered=
# shellcheck disable=SC2086  # none, or an option
sed $unbuffered 's|, request: ".*, upstream: "\([a-z]*://[^/"]*\).*|, upstream: "\1"|;s|, request: ".*||' <"$errors" >&2 &

# Asked before nginx does, so that a change in between is not missed.
follow "$(addresses)" &
exec nginx -c "$configuration" -g "daemon off;" 2>"$errors"
