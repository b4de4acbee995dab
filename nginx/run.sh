#!/bin/sh
# Runs nginx, and has it look again once app or admin have other addresses: it asks for them only when it reads its configuration, and a
# container that starts again may get another one, even that of its neighbour.
configuration=/etc/nginx/poolmanager/nginx.conf

addresses() {
    for name in app admin; do getent ahostsv4 "$name" | cut -d ' ' -f 1 | sort -u; done
}

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

# Asked before nginx does, so that a change in between is not missed.
follow "$(addresses)" &
exec nginx -c "$configuration" -g "daemon off;"
