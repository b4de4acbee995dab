#!/usr/bin/env bash
# Deploys what ships on this machine's Docker engine, tries it as users and operators would, and removes it.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/test-deployment.sh [--all | --ha] [--compose-2] [--full] [--release] [--keep] [--help]

Starts docker-compose.yml by scripts/restart.sh, in a temporary folder and under a name of its own, on free ports; fills its pool
from a second Docker engine by TLS; then looks for all that docs/deployment.md says: who reaches what, what runs as whom, that
nothing is lost while services are replaced, stopped, backed up and restored. Needs root. Where the images of nginx and mongo
cannot be pulled, stand-ins out of Debian's packages take their places (scripts/stand-in-images.sh). Removes all that it made,
however it ends.

  --all      also docker-compose.monitoring.yml; and, by Compose 2, docker-compose.ha.yml: three mongods, two admins, two apps, of
             which some are killed
  --ha       docker-compose.ha.yml alone
  --compose-2  all of it by Compose 2
  --full     build the images in containers, by every stage of the Dockerfile, in stand-ins where its images cannot be pulled;
             else the programs are built by this machine's cargo
  --release  build what ships, and look how large it is; else programs that are quick to build
  --keep     where something fails, leave everything as it is, and say how to remove it
END
}

one=yes ha=no monitoring=no newer=no full=no profile=quickstart keep=no
for arg in "$@"; do
    case "$arg" in
    --all) ha=yes monitoring=yes ;;
    --ha) ha=yes one=no ;;
    --compose-2) newer=yes ;;
    --full) full=yes ;;
    --release) profile=release ;;
    --keep) keep=yes ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done
[ "$(id -u)" = 0 ] || die "the second Docker engine needs root"
need_engine
find_compose

run=$(printf '%04x%04x' $RANDOM $RANDOM)
project=pmtest-$run
work=$(mktemp -d "${TMPDIR:-/tmp}/poolmanager-deployment.XXXXXX")
app_image=poolmanager-test/app:$run admin_image=poolmanager-test/admin:$run
begun=$SECONDS
pid=''

# shellcheck disable=SC2317  # called by a trap
# Everything of the deployments, by the label that Compose puts on it.
remove_all() {
    local name label
    for name in "$project" "$project-ha"; do
        label=label=com.docker.compose.project=$name
        docker ps -aq --filter "$label" | xargs -r docker rm -fv >/dev/null
        docker network ls -q --filter "$label" | xargs -r docker network rm >/dev/null
        docker volume ls -q --filter "$label" | xargs -r docker volume rm >/dev/null
    done
    docker image rm -f "$app_image" "$admin_image" >/dev/null 2>&1
    rm -rf "$work"
}

# shellcheck disable=SC2317
show_logs() {
    local id name project
    while read -r id project name; do
        case "$project" in
        "$1" | "$1-ha")
            say "--- the end of the log of $name"
            docker logs --tail 12 "$id" 2>&1 | cut -c 1-240 | sed 's/^/    | /' >&2
            ;;
        esac
    done < <(docker ps -a --format '{{.ID}} {{.Label "com.docker.compose.project"}} {{.Names}} ({{.Status}})')
}

# shellcheck disable=SC2317
ended() {
    local rc=$?
    trap '' INT TERM HUP
    trap - EXIT
    set +e
    # Its own engine ends with it.
    if [ -n "$pid" ] && kill "$pid" 2>/dev/null; then wait "$pid"; fi
    if ((rc != 0)); then show_logs "$project"; fi
    if ((rc != 0)) && [ "$keep" = yes ]; then
        warn "kept: $work, $app_image, $admin_image, and containers and networks of $project"
    else
        remove_all
    fi
    say "The deployment was tried in $((SECONDS - begun)) s."
    exit "$rc"
}
trap ended EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# image_or_stand_in VARIABLE STAND-IN: the image that .env.example names, or what takes its place where it cannot be had.
image_or_stand_in() {
    local image
    image=$(sed -n "s/^$1=//p" .env.example)
    if docker image inspect "$image" >/dev/null 2>&1 || timeout 60 docker pull -q "$image" >/dev/null 2>&1; then
        printf '%s\n' "$image"
    else
        say "NOT RUN with $image: it cannot be pulled here. A stand-in takes its place: $2"
        printf '%s\n' "$2"
    fi
}

# A port that this run does not use yet.
used=' '
new_port() {
    while :; do
        port=$(free_port)
        case "$used" in *" $port "*) ;; *) break ;; esac
    done
    used+="$port "
}

# site FOLDER PROJECT: what a deployer has, with settings of its own in .env.
site() {
    local settings name
    mkdir "$1"
    cp -R docker-compose*.yml nginx mongo monitoring scripts .env.example "$1/"
    "$1/scripts/make-env.sh"
    settings=(
        "COMPOSE_PROJECT_NAME=$2"
        "EDGE_SUBNET=10.211.$((RANDOM % 200 + 20)).0/24"
        "MONGO_DATA=$1/data/mongo" "MONGO2_DATA=$1/data/mongo2" "MONGO3_DATA=$1/data/mongo3"
        "NGINX_IMAGE=$nginx_image" "MONGO_IMAGE=$mongo_image" "APP_IMAGE=$app_image" "ADMIN_IMAGE=$admin_image"
        "PROMETHEUS_IMAGE=$prometheus_image" "GRAFANA_IMAGE=$grafana_image"
        "FABRIC_PEER_IMAGE=poolmanager/fabricsim:0.6" "POOL_MIX=fabric-0.6-pbft-batch-4"
    )
    for name in HTTP_PORT ADMIN_HTTP_PORT HTTPS_PORT GRAFANA_PORT; do
        new_port
        settings+=("$name=127.0.0.1:$port")
    done
    for name in "${settings[@]}"; do sed -i "/^${name%%=*}=/d" "$1/.env"; done
    printf '%s\n' "${settings[@]}" >>"$1/.env"
}

scripts/build-fabricsim-image.sh
tool_image=$(scripts/stand-in-images.sh)
nginx_image=$(image_or_stand_in NGINX_IMAGE "$tool_image")
mongo_image=$(image_or_stand_in MONGO_IMAGE "$tool_image")
prometheus_image='' grafana_image=''
if [ "$monitoring" = yes ]; then
    stand_ins=$(scripts/stand-in-images.sh --monitoring)
    prometheus_image=$(image_or_stand_in PROMETHEUS_IMAGE "${stand_ins%$'\n'*}")
    grafana_image=$(image_or_stand_in GRAFANA_IMAGE "${stand_ins#*$'\n'}")
fi
[ "$profile" = release ] || say "The programs are built as $profile, which is quick to build and is not what ships: --release builds that"
options=(--profile "$profile")
if [ "$full" = yes ]; then
    RUST_IMAGE=$(scripts/stand-in-builder.sh rust "$(sed -n 's/^RUST_IMAGE=//p' .env.example)")
    NODE_IMAGE=$(scripts/stand-in-builder.sh node "$(sed -n 's/^NODE_IMAGE=//p' .env.example)")
    export RUST_IMAGE NODE_IMAGE
else
    say "NOT RUN: the stages of the Dockerfile that build; this machine's cargo builds the programs. --full runs them"
    options+=(--prebuilt)
fi
APP_IMAGE=$app_image ADMIN_IMAGE=$admin_image scripts/build-images.sh "${options[@]}"
cargo build --quiet -p e2e --bin prove-deployment


# prove COMPOSE-FOLDER ARGUMENT...: tries what the arguments name, with the docker-compose of that folder; '' is the one that is here.
prove() {
    local rc=0 path=${1:+$1:}$PATH
    shift
    # In the background, so that an interruption is heard at once.
    TMPDIR=$work PATH=$path "${CARGO_TARGET_DIR:-target}/debug/prove-deployment" --tool-image "$tool_image" "${options[@]}" "$@" &
    pid=$!
    wait "$pid" || rc=$?
    pid=''
    return "$rc"
}

options=()
if [ "$profile" = release ]; then options+=(--release); fi
compose_2=''
if [ "$newer" = yes ] || [ "$ha" = yes ]; then compose_2=$(scripts/get-compose-2.sh); fi
if [ "$one" = yes ]; then
    site "$work/site" "$project"
    arguments=("$work/site")
    if [ "$monitoring" = yes ]; then arguments+=(--monitoring); fi
    if [ "$newer" = yes ]; then folder=$compose_2; else folder=''; fi
    say "Trying it as $project, in $work/site, by $(PATH=${folder:+$folder:}$PATH; find_compose && "${compose[@]}" version --short)"
    prove "$folder" "${arguments[@]}"
fi
if [ "$ha" = yes ]; then
    site "$work/ha" "$project-ha"
    sed -i '/^MONGO[23]_DATA=/d' "$work/ha/.env"
    # One of them in a folder, as above, and the others in volumes.
    printf '%s\n' COMPOSE_FILE=docker-compose.yml:docker-compose.ha.yml MONGO2_DATA=mongo2 MONGO3_DATA=mongo3 \
        MONGO_HOSTS=mongo:27017,mongo2:27017,mongo3:27017 >>"$work/ha/.env"
    say "Trying it as $project-ha, in $work/ha, by $("$compose_2/docker-compose" version --short)"
    prove "$compose_2" --ha "$work/ha"
fi
[ "$ha" = yes ] || say "NOT RUN: docker-compose.ha.yml; --all runs it"
[ "$monitoring" = yes ] || say "NOT RUN: docker-compose.monitoring.yml; --all runs it"
