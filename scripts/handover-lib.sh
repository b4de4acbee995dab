# shellcheck shell=bash
# How one service's containers take over from others without losing a request. What is under way is written down, so that whoever
# comes after a run that was killed puts it right. Sourced after deploy-lib.sh.
#
#   .redeploy-SERVICE              which step it is at (begun, taken_over), and the containers that were there before
#   nginx/SERVICE.servers.usual    what nginx/SERVICE.servers is to be again

# write_step SERVICE STEP ID...
write_step() {
    local service=$1
    shift
    printf '%s\n' "$@" >".redeploy-$service.new"
    mv -f ".redeploy-$service.new" ".redeploy-$service"
}

# go_by_addresses SERVICE NGINX ID...: from its next reload on nginx (its container) goes by these containers alone.
go_by_addresses() {
    local servers=nginx/$1.servers nginx=$2 port edge id
    shift 2
    if [ ! -f "$servers.usual" ]; then
        cp -p "$servers" "$servers.new"
        mv "$servers.new" "$servers.usual"
    fi
    port=$(sed -n 's/^server [a-z]*:\([0-9]*\).*/\1/p' "$servers.usual")
    edge=$(docker inspect -f '{{range $name, $_ := .NetworkSettings.Networks}}{{println $name}}{{end}}' "$nginx" | grep '_edge$')
    # Renamed into its place: nginx may be reading it at any time.
    for id in "$@"; do
        printf 'server %s:%s max_fails=2 fail_timeout=5s;\n' \
            "$(docker inspect -f "{{(index .NetworkSettings.Networks \"$edge\").IPAddress}}" "$id")" "$port"
    done >"$servers.new"
    chmod 644 "$servers.new"
    mv "$servers.new" "$servers"
}

# go_by_name SERVICE: from its next reload on nginx goes by the service's name, as ever.
go_by_name() {
    if [ -f "nginx/$1.servers.usual" ]; then mv "nginx/$1.servers.usual" "nginx/$1.servers"; fi
}

# workers NGINX
workers() { docker exec "$1" sh -c 'grep -l "nginx: [w]orker" /proc/[0-9]*/cmdline' 2>/dev/null | sort || true; }

# hand_over SERVICE TO FROM: nginx goes by the containers in the array TO, then those in FROM end. One that ended while nginx still
# knew it could break a request off.
hand_over() {
    local service=$1 id nginx before deadline
    local -n to=$2 from=$3
    nginx=$(running nginx)
    go_by_addresses "$service" "$nginx" "${to[@]}"
    before=$(workers "$nginx")
    reload_nginx
    # Workers of before the reload go by what was before, and end when they have answered what they had.
    deadline=$((SECONDS + 45))
    while [ -n "$(comm -12 <(printf '%s\n' "$before") <(workers "$nginx"))" ]; do
        ((SECONDS > deadline)) && break
        sleep 0.2
    done
    for id in "${from[@]}"; do
        docker stop --time 40 "$id" >/dev/null
        docker rm "$id" >/dev/null
    done
    go_by_name "$service"
    reload_nginx
}

# settle SERVICE: puts right what a redeploy that was killed left behind. If its new containers had taken over the old ones end, else
# the new ones do.
settle() {
    local service=$1 step id
    local -a before=() old=() new=()
    if [ -f "nginx/$service.servers.usual" ]; then
        go_by_name "$service"
        [ -z "$(running nginx)" ] || reload_nginx
    fi
    [ -f ".redeploy-$service" ] || return 0
    { read -r step && mapfile -t before; } <".redeploy-$service"
    while read -r id; do
        if printf '%s\n' "${before[@]}" | grep -xF "$id" >/dev/null; then old+=("$id"); else new+=("$id"); fi
    done < <(running "$service")
    # With one kind alone, or without nginx, there is nothing to hand over: Compose brings up what there should be.
    if [ ${#old[@]} -gt 0 ] && [ ${#new[@]} -gt 0 ] && [ -n "$(running nginx)" ]; then
        if [ "$step" = taken_over ]; then
            say "A redeploy of $service was broken off when its new containers had taken over: the old ones end"
            hand_over "$service" new old
        else
            say "A redeploy of $service was broken off: what it had started ends"
            hand_over "$service" old new
        fi
    fi
    rm -f ".redeploy-$service"
}
