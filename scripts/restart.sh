#!/usr/bin/env bash
# (Re)starts PoolManager in containers, from docker-compose.yml and .env, and waits until it serves.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/deploy-lib.sh
. scripts/certificates-lib.sh
. scripts/handover-lib.sh

usage() {
    cat <<'END'
Usage: scripts/restart.sh [--pull | --prebuilt | --no-build] [--help]

Checks what is needed, makes secrets and the data folder once, gets the images, (re)starts nginx, app, admin and mongo, waits
until all are healthy, and says where they are and how to sign in. Safe to run again: data, secrets and leases stay.

  --pull       take the images of app and admin from a registry (APP_IMAGE, ADMIN_IMAGE in .env) instead of building them
  --prebuilt   build the programs by the cargo and npm of this machine instead of in a container, and put them into the images
  --no-build   take the images of app and admin that are here

Settings are in .env, made at the first run; docs/deployment.md says what each means. COMPOSE_FILE in it adds overlays, as
docker-compose.yml:docker-compose.tls.yml. To stop: scripts/stop.sh
END
}

images=build
for arg in "$@"; do
    case "$arg" in
    --pull) images=pull ;;
    --prebuilt) images=prebuilt ;;
    --no-build) images=present ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done

need_engine
find_compose
only_one
scripts/make-env.sh
"${compose[@]}" config >/dev/null || die "docker-compose.yml with this .env is not right; see above"

if has_service mongo2; then folders=(MONGO_DATA MONGO2_DATA MONGO3_DATA); else folders=(MONGO_DATA); fi
for name in "${folders[@]}"; do
    # As docker-compose.yml has it: MONGO2_DATA is /opt/poolmanager/mongo2.
    number=${name//[!0-9]/}
    data=$(setting "$name" "/opt/poolmanager/mongo$number")
    case "$data" in
    /* | ./* | ../*)
        if [ ! -d "$data" ]; then
            say "Making the data folder $data"
            mkdir -p "$data" || die "could not make $data: be root, or set $name in .env to a folder of yours, or to mongo$number for a volume"
        fi
        give_to_mongo "$data"
        ;;
    "mongo$number") say "mongo$number keeps its data in a volume of that name" ;;
    *) die "$name in .env must be a folder, beginning with / or ., or mongo$number for a volume; it is $data" ;;
    esac
done
give_to_mongo secrets/mongo.key

unreadable=$(find nginx mongo monitoring ! -perm -o=r -o -type d ! -perm -o=x | head -n 3 | tr '\n' ' ')
[ -z "$unreadable" ] || die "containers run as users of their own and could not read $unreadable: chmod -R o+rX nginx mongo monitoring"

ports=(nginx HTTP_PORT 80 nginx ADMIN_HTTP_PORT 8080)
if has_tls; then
    ports+=(nginx HTTPS_PORT 443)
    take_certificates
fi
if has_service grafana; then ports+=(grafana GRAFANA_PORT 127.0.0.1:3000); fi
for ((i = 0; i < ${#ports[@]}; i += 3)); do
    port=$(setting "${ports[i + 1]}" "${ports[i + 2]}")
    if port_taken "${port##*:}" && [ -z "$(running "${ports[i]}")" ]; then
        die "port ${port##*:} is taken by another program: set ${ports[i + 1]} in .env"
    fi
done
settle app
settle admin

case "$images" in
build) scripts/build-images.sh ;;
prebuilt) scripts/build-images.sh --prebuilt ;;
present)
    for image in "$(setting APP_IMAGE poolmanager/app:0.1)" "$(setting ADMIN_IMAGE poolmanager/admin:0.1)"; do
        docker image inspect "$image" >/dev/null 2>&1 || die "no image $image here: scripts/build-images.sh makes it"
    done
    ;;
pull) "${compose[@]}" pull app admin || die "the images could not be pulled: check APP_IMAGE and ADMIN_IMAGE in .env" ;;
esac
ours=$(printf '%s\n' "$(setting APP_IMAGE poolmanager/app:0.1)" "$(setting ADMIN_IMAGE poolmanager/admin:0.1)")
for image in $("${compose[@]}" config | sed -n 's/^ *image: //p' | sort -u | grep -vxF "$ours"); do
    docker image inspect "$image" >/dev/null 2>&1 ||
        with_progress "pulling $image" "$(state_dir)/pull.log" docker pull "$image" ||
        die "no image $image here, and it cannot be pulled. Set NGINX_IMAGE, MONGO_IMAGE (PROMETHEUS_IMAGE, GRAFANA_IMAGE) in .env to what your registry calls it"
done

# --no-build: the images are there, and Compose's own idea of a build knows nothing of --prebuilt.
"${compose[@]}" up -d --no-build --remove-orphans || die "could not bring the services up; see above, and: ${compose[*]} logs"
wait_healthy 120 app admin
# Its files may be others than when it started.
reload_nginx
if has_tls; then
    users=https://$(published nginx 8443) operators=https://$(published nginx 8080)
else
    users=http://$(published nginx 8000) operators=http://$(published nginx 8080)
fi
wait_serving 60 "${users/0.0.0.0/127.0.0.1}/healthz"
wait_serving 60 "${operators/0.0.0.0/127.0.0.1}/healthz"
"${compose[@]}" ps
say
say "Users:     ${users/0.0.0.0/$(hostname)}"
say "Operators: ${operators/0.0.0.0/$(hostname)}   name: $(setting ADMIN_USERNAME admin), password: ADMIN_PASSWORD in .env"
if has_service grafana; then
    say "Grafana:   http://$(published grafana 3000)   name: admin, password: GRAFANA_ADMIN_PASSWORD in .env"
fi
say "What next: sign in, then add a host; docs/scenario.md walks through it."
