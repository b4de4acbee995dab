#!/usr/bin/env bash
# (Re)starts PoolManager in containers, from docker-compose.yml and .env, and waits until it serves.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh

usage() {
    cat <<'END'
Usage: scripts/restart.sh [--pull | --prebuilt] [--help]

Checks what is needed, makes secrets and the data folder once, gets the images, (re)starts nginx, app, admin and mongo, waits
until all are healthy, and says where they are and how to sign in. Safe to run again: data, secrets and leases stay.

  --pull       take the images of app and admin from a registry (APP_IMAGE, ADMIN_IMAGE in .env) instead of building them
  --prebuilt   put programs that are in dist/ into the images instead of building them in a container
               (scripts/build-images.sh --prebuilt makes them)

Settings are in .env, made at the first run; docs/deployment.md says what each means. COMPOSE_FILE in it adds overlays, as
docker-compose.yml:docker-compose.tls.yml. To stop: scripts/stop.sh
END
}

images=build
for arg in "$@"; do
    case "$arg" in
    --pull) images=pull ;;
    --prebuilt) images=prebuilt ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done

need_engine
find_compose
scripts/make-env.sh
[ -f secrets/mongo.key ] || die "secrets/mongo.key is not there though .env is: was .env copied from elsewhere? Remove .env to make both anew, or bring the key"
"${compose[@]}" config >/dev/null || die "docker-compose.yml with this .env is not right; see above"

data=$(setting MONGO_DATA /opt/poolmanager/mongo)
case "$data" in
/* | ./* | ../*)
    if [ ! -d "$data" ]; then
        say "Making the data folder $data"
        mkdir -p "$data" || die "could not make $data: be root, or set MONGO_DATA in .env to a folder of yours or to the name of a volume"
    fi
    give_to_mongo "$data"
    ;;
*) say "mongo keeps its data in the volume $data" ;;
esac
give_to_mongo secrets/mongo.key

for port in "$(setting HTTP_PORT 80)" "$(setting ADMIN_HTTP_PORT 8080)"; do
    if port_taken "${port##*:}" && [ -z "$("${compose[@]}" ps -q nginx 2>/dev/null)" ]; then
        die "port ${port##*:} is taken by another program: set HTTP_PORT or ADMIN_HTTP_PORT in .env"
    fi
done

case "$images" in
build) scripts/build-images.sh ;;
prebuilt) scripts/build-images.sh --prebuilt ;;
pull) "${compose[@]}" pull app admin || die "the images could not be pulled: check APP_IMAGE and ADMIN_IMAGE in .env" ;;
esac
for image in "$(setting NGINX_IMAGE nginx:1.28)" "$(setting MONGO_IMAGE mongo:6.0)"; do
    docker image inspect "$image" >/dev/null 2>&1 ||
        with_progress "pulling $image" "$(state_dir)/pull.log" docker pull "$image" ||
        die "no image $image here, and it cannot be pulled. Set NGINX_IMAGE or MONGO_IMAGE in .env to what your registry calls it"
done

# --no-build: the images are there, and Compose's own idea of a build knows nothing of --prebuilt.
"${compose[@]}" up -d --no-build --remove-orphans || die "could not bring the services up; see above, and: ${compose[*]} logs"
wait_healthy 120 app admin
wait_serving 60 "http://127.0.0.1:$(port_of nginx 8000)/healthz"
"${compose[@]}" ps
say
say "Users:     http://$(hostname):$(port_of nginx 8000)"
say "Operators: http://$(hostname):$(port_of nginx 8080)   name: $(setting ADMIN_USERNAME admin), password: ADMIN_PASSWORD in .env"
say "What next: sign in, then add a host; docs/scenario.md walks through it."
