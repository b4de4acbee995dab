#!/usr/bin/env bash
# Makes stand-ins of the images that docker-compose.yml and its overlays name, for tests on a machine that reaches no registry.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

IMAGE=poolmanager-test/stand-in:1
PROMETHEUS=poolmanager-test/stand-in-prometheus:1
GRAFANA=poolmanager-test/stand-in-grafana:1

usage() {
    cat <<END
Usage: scripts/stand-in-images.sh [--monitoring] [--help]

Makes the image $IMAGE out of Debian's packages (by debootstrap, about a minute) and the mongod that tests use. It has nginx and
mongod, and stands for both images that docker-compose.yml names where those cannot be pulled: NGINX_IMAGE=$IMAGE
MONGO_IMAGE=$IMAGE. For tests only. What is there already stays. Prints the image's name.

  --monitoring  makes, on top of that one, $PROMETHEUS, with Debian's Prometheus, and $GRAFANA, which
                sits there in the place of Grafana and does nothing, for Debian has none; prints these two names
END
}
monitoring=no
case "${1:-}" in
"") ;;
--monitoring) monitoring=yes ;;
--help | -h) usage && exit 0 ;;
*) usage >&2 && die "unknown option: $1" ;;
esac

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

make_base() {
    local mongod mirror log
    say "Making $IMAGE, a stand-in for the images of nginx and mongo, out of Debian's packages"
    [ "$(id -u)" = 0 ] || die "debootstrap needs root"
    have debootstrap || apt_install "the stand-in image" debootstrap
    scripts/real-parts.sh >&2
    mongod=$(PATH="$PATH:$HOME/.cache/poolmanager/bin" command -v mongod) || die "no mongod: scripts/real-parts.sh gets one"
    # shellcheck disable=SC2016
    mirror=$(apt-get indextargets --format '$(SITE)' 2>/dev/null | sort -u | head -n 1)
    log="$(state_dir)/stand-in.log"
    with_progress "debootstrap" "$log" debootstrap --variant=minbase --include=nginx-light,libcurl4,ca-certificates \
        bookworm "$root/tree" ${mirror:+"$mirror"} || exit 1
    rm -rf "$root"/tree/var/cache/apt/archives/*.deb "$root"/tree/var/lib/apt/lists/* "$root"/tree/usr/share/{doc,man,locale}
    install -m 755 "$mongod" "$root/tree/usr/bin/mongod"
    mkdir -p "$root/tree/data/db"
    # The user that mongo's image has; the files of a deployment belong to it.
    echo 'mongodb:x:999:999::/data/db:/bin/false' >>"$root/tree/etc/passwd"
    chown 999:999 "$root/tree/data/db"
    tar -C "$root/tree" -c . | docker import -c 'CMD ["nginx"]' - "$IMAGE" >/dev/null
}

# The program of Debian's package on top; where the images keep their data belongs to those that they run as.
make_monitoring() {
    say "Making $PROMETHEUS and $GRAFANA out of Debian's packages"
    mkdir -p "$root/monitoring/data" "$root/download"
    # The user that fetches packages has no way into a folder of root's.
    chmod 755 "$root" && chmod 777 "$root/download"
    (cd "$root/download" && with_progress "apt-get download" "$(state_dir)/stand-in.log" apt-get download prometheus) || exit 1
    dpkg-deb -x "$root"/download/prometheus_*.deb "$root/download/tree"
    mv "$root/download/tree/usr/bin/prometheus" "$root/monitoring/"
    cat >"$root/monitoring/Dockerfile" <<DOCKERFILE
FROM $IMAGE AS prometheus
COPY prometheus /usr/bin/
COPY --chown=65534:65534 data /prometheus
ENTRYPOINT ["/usr/bin/prometheus"]

FROM $IMAGE AS grafana
COPY --chown=472:0 data /var/lib/grafana
ENTRYPOINT ["sleep", "infinity"]
DOCKERFILE
    docker build -q --target prometheus -t "$PROMETHEUS" "$root/monitoring" >/dev/null
    docker build -q --target grafana -t "$GRAFANA" "$root/monitoring" >/dev/null
}

there() { docker image inspect "$1" >/dev/null 2>&1; }
there "$IMAGE" || make_base
if [ "$monitoring" = no ]; then
    printf '%s\n' "$IMAGE"
    exit 0
fi
{ there "$PROMETHEUS" && there "$GRAFANA"; } || make_monitoring
printf '%s\n' "$PROMETHEUS" "$GRAFANA"
