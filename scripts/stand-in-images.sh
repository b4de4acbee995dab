#!/usr/bin/env bash
# Makes stand-ins of the images of nginx and mongo, for tests on a machine that reaches no registry.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

IMAGE=poolmanager-test/stand-in:1

usage() {
    cat <<END
Usage: scripts/stand-in-images.sh [--help]

Makes the image $IMAGE out of Debian's packages (by debootstrap, about a minute) and the mongod that tests use. It has nginx and
mongod, and stands for both images that docker-compose.yml names where those cannot be pulled: NGINX_IMAGE=$IMAGE
MONGO_IMAGE=$IMAGE. For tests only. What is there already stays. Prints the image's name.
END
}
case "${1:-}" in
"") ;;
--help | -h) usage && exit 0 ;;
*) usage >&2 && die "unknown option: $1" ;;
esac

if docker image inspect "$IMAGE" >/dev/null 2>&1; then
    printf '%s\n' "$IMAGE"
    exit 0
fi
say "Making $IMAGE, a stand-in for the images of nginx and mongo, out of Debian's packages"
[ "$(id -u)" = 0 ] || die "debootstrap needs root"
have debootstrap || apt_install "the stand-in image" debootstrap
scripts/real-parts.sh >&2
mongod=$(PATH="$PATH:$HOME/.cache/poolmanager/bin" command -v mongod) || die "no mongod: scripts/real-parts.sh gets one"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
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
printf '%s\n' "$IMAGE"
