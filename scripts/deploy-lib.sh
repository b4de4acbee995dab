# shellcheck shell=bash
# What the scripts of the deployment share. Sourced after lib.sh, from the top folder.

compose=()

need_engine() {
    have docker || die "no docker command. On Debian or Ubuntu, as root: apt-get install -y docker.io docker-compose"
    have curl || die "no curl, by which it is seen that nginx serves. On Debian or Ubuntu, as root: apt-get install -y curl"
    docker version >/dev/null 2>&1 ||
        die "no Docker engine answers at $(docker_url): start it (systemctl start docker), or get yourself into the group docker"
}

find_compose() {
    if have docker-compose; then
        compose=(docker-compose)
    elif docker compose version >/dev/null 2>&1; then
        compose=(docker compose)
    else
        die "no Compose tool. On Debian or Ubuntu, as root: apt-get install -y docker-compose"
    fi
}

# setting NAME DEFAULT: the answer that Compose gives for a variable: the environment, else .env, else the default.
setting() {
    local value=${!1:-}
    if [ -z "$value" ] && [ -f .env ]; then value=$(sed -n "s/^$1=//p" .env | tail -n 1); fi
    printf '%s\n' "${value:-$2}"
}

# give_to_mongo PATH: mongo's files belong to the user it runs as (999 in its image), and nobody else may read the key.
give_to_mongo() {
    [ "$(stat -c %u "$1")" = 999 ] && return 0
    chown 999:999 "$1" 2>/dev/null || die "$1 must belong to user 999, as whom mongo runs: as root, chown 999:999 $1"
}

# only_one: keeps a second of these scripts out of this deployment as long as this one, or what it started, is at work. One that
# was killed holds nothing.
only_one() {
    have flock || die "no flock. On Debian or Ubuntu, as root: apt-get install -y util-linux"
    exec 9>.deploy.lock
    if flock -n 9; then return 0; fi
    say "Another script is at work on this deployment; waiting for it"
    flock -w 120 9 || die "another script is still at work on this deployment"
}

# All is read, here and below: a reader that stops early would fail the writer.
# has_service NAME: whether the files that COMPOSE_FILE names have it.
has_service() { "${compose[@]}" config --services 2>/dev/null | grep -xF "$1" >/dev/null; }

# has_tls: whether nginx speaks TLS, by docker-compose.tls.yml.
has_tls() { "${compose[@]}" config 2>/dev/null | grep 'servers-tls\.conf' >/dev/null; }

# published SERVICE PORT: where it is published, ADDRESS:PORT; of all addresses 0.0.0.0.
published() { "${compose[@]}" port "$1" "$2" | head -n 1 | sed 's/^\[::\]:/0.0.0.0:/'; }

# running SERVICE: ids of its containers that run. Compose 1.29 lists those that have ended as well.
running() {
    # shellcheck disable=SC2046
    docker inspect -f '{{if eq .State.Status "running"}}{{.Id}}{{end}}' $("${compose[@]}" ps -q "$1") 2>/dev/null | grep . || true
}

# reload_nginx: has it go by its files as they are now; not at all if they are wrong.
reload_nginx() {
    local id
    id=$(running nginx)
    [ -n "$id" ] || die "nginx does not run: scripts/restart.sh"
    docker exec "$id" nginx -t -q -c /etc/nginx/poolmanager/nginx.conf || die "nginx does not take its configuration: nothing is changed"
    docker kill --signal HUP "$id" >/dev/null
}

# Containers that wait_healthy does not look at.
not_waited_for=()

# wait_healthy SECONDS SERVICE...: until every container of these that was not ended by hand is healthy; says what it waits for.
wait_healthy() {
    local deadline=$((SECONDS + $1)) told=$SECONDS service id state
    shift
    for service in "$@"; do
        while :; do
            state=starting
            # shellcheck disable=SC2046
            state=$(docker inspect -f '{{if eq .State.Status "running"}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' \
                $("${compose[@]}" ps -q "$service" | grep -vxF "$(printf '%s\n' "${not_waited_for[@]:-}")") 2>/dev/null | grep -vx exited | sort -u | tr '\n' ' ') || true
            [ "$state" = "healthy " ] && break
            if ((SECONDS > deadline)); then
                id=$("${compose[@]}" ps -q "$service" | head -n 1)
                [ -z "$id" ] || docker logs --tail 15 "$id" 2>&1 | sed 's/^/    | /' >&2
                die "$service is not healthy (${state:-not there}); its log: ${compose[*]} logs $service"
            fi
            if ((SECONDS - told >= 5)); then
                told=$SECONDS
                say "  waiting for $service: ${state:-not there yet}"
            fi
            sleep 0.3
        done
    done
}

# wait_serving SECONDS URL
wait_serving() {
    local deadline=$((SECONDS + $1))
    until curl -fsSk --max-time 3 -o /dev/null "$2" 2>/dev/null; do
        ((SECONDS > deadline)) && die "$2 does not answer; see: ${compose[*]} logs nginx"
        sleep 0.3
    done
}

# admin_program: poolmanager-admin outside of containers.
admin_program() {
    local path
    for path in "${POOLMANAGER_ADMIN:-}" "$(command -v poolmanager-admin || true)" target/release/poolmanager-admin; do
        if [ -n "$path" ] && [ -x "$path" ]; then printf '%s\n' "$path" && return 0; fi
    done
    die "no poolmanager-admin: name it by POOLMANAGER_ADMIN, or build it: cargo build --release -p admin"
}

# start_mongo: mongo alone, with its users, whether the rest runs or not.
start_mongo() {
    local mongos
    mapfile -t mongos < <("${compose[@]}" config --services | grep '^mongo' | grep -v '^mongo-setup$')
    "${compose[@]}" up -d --no-build --no-deps "${mongos[@]}" || die "mongo does not start; see: ${compose[*]} logs mongo"
    # If mongo was made anew, the setup that has ended would be started in the network of the one before, and Compose 1.29 fail at it.
    "${compose[@]}" rm -f mongo-setup >/dev/null 2>&1 || true
    run_mongo_setup || die "mongo is not ready; see: ${compose[*]} logs mongo"
}

# run_mongo_setup: makes users and what they may, as this version wants it, in a mongo that runs.
run_mongo_setup() { "${compose[@]}" run --rm -T --no-deps mongo-setup </dev/null; }
