# shellcheck shell=bash
# What the scripts share: words on the screen, packages of Debian, a Docker engine. Sourced, not run.

# On Debian some tools live outside an ordinary user's PATH, and a fresh Rust is in ~/.cargo/bin until the next login.
# A timer's or cron's shell may lack both a HOME and most of the PATH.
export HOME="${HOME:-/root}"
PATH="$PATH:$HOME/.cargo/bin:/usr/local/bin:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

DOCKER_SOCKET=/var/run/docker.sock

have() { command -v "$1" >/dev/null 2>&1; }

# Words for people go to stderr, so that a function may answer on stdout.
say() { printf '%s\n' "$*" >&2; }
warn() { printf 'Note: %s\n' "$*" >&2; }
die() {
    printf 'Error: %s\n' "$*" >&2
    exit 1
}

state_dir() {
    local dir="${XDG_STATE_HOME:-$HOME/.local/state}/poolmanager"
    mkdir -p "$dir"
    printf '%s\n' "$dir"
}

# with_progress WHAT LOG COMMAND...: runs a command with its output in LOG, and says every few seconds that it still runs
# and what it last said. On failure shows the log's last lines. Ctrl-C ends the command too, with all that it started.
with_progress() {
    local what=$1 log=$2 pid began=$SECONDS told=$SECONDS rc=0 last traps
    shift 2
    say "  $what ..."
    : >"$log"
    traps=$(trap -p INT TERM HUP)
    # A group of its own: it is ended as a whole. Without that, what runs in the background does not hear of Ctrl-C.
    set -m
    "$@" >>"$log" 2>&1 </dev/null &
    pid=$!
    set +m
    trap 'stop_group "$pid" && exit 130' INT
    trap 'stop_group "$pid" && exit 143' TERM HUP
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.2
        if ((SECONDS - told >= 5)); then
            told=$SECONDS
            last=$(tail -n 1 "$log" | tr -d '\r' | cut -c 1-100)
            say "    $((SECONDS - began)) s: ${last:-working}"
        fi
    done
    wait "$pid" || rc=$?
    trap - INT TERM HUP
    eval "$traps"
    if ((rc != 0)); then
        say "  $what failed after $((SECONDS - began)) s. The end of $log:"
        tail -n 25 "$log" | sed 's/^/    | /' >&2
        return "$rc"
    fi
    if ((SECONDS - began >= 2)); then say "  done in $((SECONDS - began)) s"; fi
}

# stop_group PID: ends a command of with_progress with all that it started, and waits for it.
stop_group() {
    trap '' INT TERM HUP
    kill -TERM -- "-$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

# Whether we may and can install Debian packages.
can_apt() { [ "$(id -u)" = 0 ] && have apt-get; }

package_there() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# apt_install WHY PACKAGE...: installs those, or fails with the command that would.
apt_install() {
    local why=$1 log
    shift
    if ! have apt-get; then
        say "Missing for $why: $*. This is not Debian or Ubuntu: install what has these names there by your own package manager."
        return 1
    fi
    if ! can_apt; then
        say "Missing for $why: $*. As root: apt-get update && apt-get install -y --no-install-recommends $*"
        return 1
    fi
    say "Installing for $why: $*"
    log="$(state_dir)/apt.log"
    with_progress "apt-get update" "$log" apt-get update || return 1
    with_progress "apt-get install" "$log" \
        env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
}

# Where Docker is said to be: DOCKER_HOST, else the command line's current context, else the usual socket.
docker_url() {
    local url="${DOCKER_HOST:-}"
    if [ -z "$url" ] && have docker; then
        url=$(docker context inspect --format '{{.Endpoints.docker.Host}}' 2>/dev/null || true)
    fi
    printf '%s\n' "${url:-unix://$DOCKER_SOCKET}"
}

# docker_answers URL: whether a Docker engine answers there within 3 seconds.
docker_answers() {
    case "$1" in
    unix://*) curl -fsS --max-time 3 --unix-socket "${1#unix://}" http://docker/_ping >/dev/null 2>&1 ;;
    tcp://*) curl -fsS --max-time 3 "http://${1#tcp://}/_ping" >/dev/null 2>&1 ;;
    *) return 1 ;;
    esac
}

# start_dockerd: starts the engine on the usual socket and waits until it answers. Needs root and dockerd.
start_dockerd() {
    local log pid deadline
    if [ -d /run/systemd/system ] && systemctl list-unit-files docker.service >/dev/null 2>&1; then
        say "Starting the Docker engine: systemctl start docker"
        systemctl start docker || true
        log="journalctl -u docker"
        pid=""
    else
        log="$(state_dir)/dockerd.log"
        say "Starting the Docker engine in the background: dockerd -H unix://$DOCKER_SOCKET (its log: $log)"
        # A pid file of an engine that is no more would stop this one.
        if [ -f /var/run/docker.pid ] && ! kill -0 "$(cat /var/run/docker.pid)" 2>/dev/null; then
            rm -f /var/run/docker.pid
        fi
        setsid nohup dockerd -H "unix://$DOCKER_SOCKET" >"$log" 2>&1 </dev/null &
        pid=$!
    fi
    deadline=$((SECONDS + 60))
    while ! docker_answers "unix://$DOCKER_SOCKET"; do
        if [ -n "$pid" ] && ! kill -0 "$pid" 2>/dev/null; then
            say "The Docker engine ended at once. The end of its log:"
            tail -n 12 "$log" | sed 's/^/    | /' >&2
            return 1
        fi
        if ((SECONDS > deadline)); then
            say "The Docker engine does not answer after 60 s. Its log: $log"
            if [ -f "$log" ]; then tail -n 12 "$log" | sed 's/^/    | /' >&2; fi
            return 1
        fi
        sleep 0.3
    done
    say "The Docker engine answers at unix://$DOCKER_SOCKET"
}

# port_taken PORT: whether something listens there on this machine.
port_taken() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port: a port on which nothing listens now, below those that clusters use and those that the kernel gives to outgoing
# connections, so that it is likely to be free minutes later.
free_port() {
    local port
    for _ in $(seq 50); do
        port=$((RANDOM % 4000 + 3000))
        if ! port_taken "$port"; then
            printf '%s\n' "$port"
            return 0
        fi
    done
    die "found no free port between 3000 and 6999"
}
