#!/usr/bin/env bash
# Builds and starts everything on this machine and shows the main job: fill a pool, lease a network, use it, give it back.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'END'
Usage: scripts/quickstart.sh [--once] [--sim | --docker] [--stop] [--help]

Builds app and admin, starts them on SQLite in a data folder, adds this machine's Docker engine as a host of three
networks, waits until the pool is full, then applies for a network as user alice, uses it, releases it, and shows the
pool full again. The services stay up; their addresses and the login are printed. Run again, it does the main job again.

  --once     end everything and clean up afterwards; exit 0 only if every step was seen to work
  --sim      use a simulated Docker engine
  --docker   use a real one or fail. Without either: a real one if there is one or it can be installed (as root on
             Debian or Ubuntu), else a simulated one
  --stop     end what an earlier run left running, and remove its networks and data

Environment: APP_PORT (8000), ADMIN_PORT (8080), DATA_DIR (data/quickstart; with --once a temporary folder),
FABRIC_PEER_IMAGE (poolmanager/fabricsim:0.6, a small stand-in that is built here), POOL_MIX (which flavors).
END
}

once=no engine=any stop=no
for arg in "$@"; do
    case "$arg" in
    --once) once=yes ;;
    --sim) engine=sim ;;
    --docker) engine=docker ;;
    --stop) stop=yes ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done

APP_PORT=${APP_PORT:-8000}
ADMIN_PORT=${ADMIN_PORT:-8080}
for name in APP_PORT ADMIN_PORT; do
    if ! [[ ${!name} =~ ^[1-9][0-9]{0,4}$ ]] || ((${!name} > 65535)); then
        die "$name must be a port, 1 to 65535; it is '${!name}'"
    fi
done
[ "$APP_PORT" != "$ADMIN_PORT" ] || die "APP_PORT and ADMIN_PORT must differ; both are $APP_PORT"
APP="http://127.0.0.1:$APP_PORT"
ADMIN="http://127.0.0.1:$ADMIN_PORT"
FABRIC_PEER_IMAGE=${FABRIC_PEER_IMAGE:-poolmanager/fabricsim:0.6}
POOL_MIX=${POOL_MIX:-fabric-0.6-pbft-batch-4}
CAPACITY=3
BIN="${CARGO_TARGET_DIR:-target}/quickstart"

if [ -z "${DATA_DIR:-}" ]; then
    if [ "$once" = yes ]; then
        DATA_DIR=$(mktemp -d "${TMPDIR:-/tmp}/poolmanager-once.XXXXXX")
    else
        DATA_DIR=$PWD/data/quickstart
    fi
fi
mkdir -p "$DATA_DIR"
chmod 700 "$DATA_DIR"
DATA_DIR=$(cd "$DATA_DIR" && pwd)
# A name of its own for each --once, so that several share one engine without meeting, and what is left can be told.
if [ "$once" = yes ]; then HOST=once-$((RANDOM % 9000 + 1000)); else HOST=local; fi

begun=$SECONDS
step_no=0
heading() {
    step_no=$((step_no + 1))
    say ""
    say "[$step_no] $* ($((SECONDS - begun)) s)"
}

# --- processes --------------------------------------------------------------------------------------------------------

# runs NAME: whether the program that was started under this name still runs; a pid may have gone to another since.
runs() {
    local pid
    pid=$(cat "$DATA_DIR/$1.pid" 2>/dev/null) || return 1
    kill -0 "$pid" 2>/dev/null && grep -qa -- "$1" "/proc/$pid/cmdline" 2>/dev/null
}

# start NAME COMMAND...: in the background, output to DATA_DIR/NAME.log.
start() {
    local name=$1 pid
    shift
    setsid nohup "$@" >>"$DATA_DIR/$name.log" 2>&1 </dev/null &
    pid=$!
    echo "$pid" >"$DATA_DIR/$name.pid"
    # Between fork and exec it is still this script, by its command line; on a busy machine that takes seconds.
    for _ in $(seq 500); do
        if runs "$name" || ! kill -0 "$pid" 2>/dev/null; then break; fi
        sleep 0.02
    done
}

# end NAME: asks it to end, waits, then makes it.
end() {
    local pid deadline=$((SECONDS + 15))
    if ! runs "$1"; then
        rm -f "$DATA_DIR/$1.pid"
        return 0
    fi
    pid=$(cat "$DATA_DIR/$1.pid")
    kill "$pid" 2>/dev/null || true
    while kill -0 "$pid" 2>/dev/null; do
        if ((SECONDS > deadline)); then
            warn "$1 (pid $pid) did not end in 15 s; killing it"
            kill -9 "$pid" 2>/dev/null || true
            break
        fi
        sleep 0.1
    done
    rm -f "$DATA_DIR/$1.pid"
}

last_words() {
    local name
    for name in poolmanager-admin poolmanager-app simdocker; do
        if [ -s "$DATA_DIR/$name.log" ]; then
            say "The end of $DATA_DIR/$name.log:"
            tail -n "$1" "$DATA_DIR/$name.log" | cut -c 1-300 | sed 's/^/    | /' >&2
        fi
    done
}

# wait_ready NAME URL: until it answers 200, or it ended, or 30 s.
wait_ready() {
    local deadline=$((SECONDS + 30))
    until curl -fsS --max-time 2 -o /dev/null "$2" 2>/dev/null; do
        if ! runs "$1"; then
            last_words 8
            die "$1 ended at its start; its own words are above"
        fi
        if ((SECONDS > deadline)); then
            last_words 8
            die "$1 does not answer at $2 after 30 s"
        fi
        sleep 0.1
    done
}

# --- JSON, with what every machine has --------------------------------------------------------------------------------

# text_of KEY, number_of KEY: the first value with that key in the JSON on stdin, at whatever depth.
text_of() { grep -oE "\"$1\" *: *\"[^\"]*\"" | sed -n '1s/^[^:]*: *"\(.*\)"$/\1/p' || true; }
number_of() { grep -oE "\"$1\" *: *[0-9]+" | sed -n '1s/^[^:]*: *//p' || true; }
count_of() { { grep -oE "$1" || true; } | wc -l; }

# --- admin's JSON -----------------------------------------------------------------------------------------------------

csrf=""
# admin METHOD PATH [BODY]: the answer on stdout; on an error status its words on stderr, and 1. The body goes by stdin: it
# may hold the password, and anybody on this machine can read a program's arguments.
admin() {
    local method=$1 path=$2 out status
    shift 2
    out="$DATA_DIR/.answer"
    status=$(curl -sS --max-time 60 -o "$out" -w '%{http_code}' -X "$method" -b "$DATA_DIR/.cookies" -c "$DATA_DIR/.cookies" \
        -H 'Content-Type: application/json' -H "X-CSRF-Token: $csrf" ${1:+--data @-} "$ADMIN$path" <<<"${1:-}") || return 1
    if [[ $status != 2* ]]; then
        say "  $method $path: $status $(head -c 600 "$out")"
        return 1
    fi
    cat "$out"
}

sign_in() {
    local answer
    : >"$DATA_DIR/.cookies"
    chmod 600 "$DATA_DIR/.cookies"
    answer=$(admin POST /api/v1/session "{\"username\":\"$ADMIN_USERNAME\",\"password\":\"$ADMIN_PASSWORD\"}") || return 1
    csrf=$(text_of csrf_token <<<"$answer")
    [ -n "$csrf" ] || die "admin signed us in and gave no token: $answer"
}

host_id() { admin GET /api/v1/hosts | tr '{' '\n' | grep "\"name\" *: *\"$HOST\"" | text_of id; }

# --- the pool, as v2 shows it -----------------------------------------------------------------------------------------

clusters() { curl -fsS --max-time 10 "$APP/v2/clusters"; }

# wait_full SECONDS [GONE]: until every place has a network that is free or somebody's, and the cluster GONE is no more.
wait_full() {
    local deadline=$((SECONDS + $1)) gone=${2:-} list free held making removing line="" told=0
    while :; do
        list=$(clusters) || list=""
        free=$(count_of '"user_id" *: *""' <<<"$list")
        making=$(count_of '"user_id" *: *"__SYSTEM__CREATING' <<<"$list")
        removing=$(count_of '"user_id" *: *"__SYSTEM__(DELETING|RESETTING)' <<<"$list")
        held=$(($(count_of '"user_id"' <<<"$list") - free - making - removing))
        if [ "$line" != "$free $held $making $removing" ] || ((SECONDS - told >= 5)); then
            line="$free $held $making $removing"
            told=$SECONDS
            say "    $free of $CAPACITY free, $held held, $making being made, $removing being removed ($((SECONDS - begun)) s)"
        fi
        if [ -n "$list" ] && ((free + held >= CAPACITY && making + removing == 0)) &&
            { [ -z "$gone" ] || [[ $list != *$gone* ]]; }; then
            return 0
        fi
        if ((SECONDS > deadline)) || ! runs poolmanager-admin || ! runs poolmanager-app; then
            say "  The pool did not get full. What admin says of the host, and the last events:"
            admin GET "/api/v1/hosts/$(host_id)" 2>&1 | head -c 3000 | sed 's/^/    | /' >&2 || true
            say ""
            admin GET "/api/v1/events?limit=15" 2>&1 | head -c 4000 | sed 's/^/    | /' >&2 || true
            say ""
            last_words 15
            die "the pool was not full within $1 s"
        fi
        sleep 0.3
    done
}

# --- ending -----------------------------------------------------------------------------------------------------------

# Whatever of our host is on the engine still, when admin could not remove it.
sweep_engine() {
    local ids
    [ "$(cat "$DATA_DIR/engine" 2>/dev/null)" = docker ] && have docker || return 0
    ids=$(docker ps -aq --filter "name=^${1}_" 2>/dev/null) || return 0
    if [ -n "$ids" ]; then
        warn "removing by hand the containers that are left of $1"
        # shellcheck disable=SC2086  # ids are words
        docker rm -fv $ids >/dev/null 2>&1 || true
    fi
    ids=$(docker network ls -q --filter "name=^${1}_" 2>/dev/null) || return 0
    # shellcheck disable=SC2086
    if [ -n "$ids" ]; then docker network rm $ids >/dev/null 2>&1 || true; fi
}

# Deletes the host by admin, which removes its clusters; waits until it is gone. 1 if that did not work.
delete_host() {
    local id user deadline=$((SECONDS + 90))
    # A host stays while somebody holds a network on it.
    for user in $(clusters | grep -oE '"user_id" *: *"[^"]+"' | sed 's/^[^:]*: *"//; s/"$//' | grep -v '^__SYSTEM__' | sort -u); do
        curl -fsS --max-time 10 -o /dev/null -G --data-urlencode "user_id=$user" -d action=release "$APP/v2/cluster_op" || return 1
    done
    id=$(host_id) && [ -n "$id" ] || return 1
    admin DELETE "/api/v1/hosts/$id" >/dev/null || return 1
    while id=$(host_id) && [ -n "$id" ]; do
        if ((SECONDS > deadline)); then return 1; fi
        sleep 0.3
    done
}

end_all() {
    end poolmanager-app
    end poolmanager-admin
    sweep_engine "$HOST"
    end simdocker
}

# Only what we put there: DATA_DIR may be a folder that somebody else uses as well.
remove_data() {
    local name
    for name in poolmanager.db poolmanager.db-wal poolmanager.db-shm poolmanager.db.{app,admin,open}.lock internal-secret login engine ports sim-at \
        .cookies .answer; do
        rm -f "$DATA_DIR/$name"
    done
    if [ "${1:-}" = but_logs ]; then return 0; fi
    rm -f "$DATA_DIR"/poolmanager-admin.log "$DATA_DIR"/poolmanager-app.log "$DATA_DIR"/simdocker.log
    rmdir "$DATA_DIR" 2>/dev/null || true
}

finished=no
on_exit() {
    local rc=$? keep
    trap - EXIT INT TERM
    if [ "$finished" = yes ]; then exit "$rc"; fi
    if [ "$once" = yes ]; then
        say ""
        # Somebody who interrupts it knows why; a failure wants looking into.
        if ((rc == 130)); then keep=nothing; else keep=but_logs; fi
        say "Not finished; cleaning up."
        if [ -n "$csrf" ] && runs poolmanager-admin; then delete_host >/dev/null 2>&1 || true; fi
        end_all
        remove_data "$keep"
        rmdir "$DATA_DIR" 2>/dev/null || say "The logs stay: $DATA_DIR"
    elif runs poolmanager-admin || runs poolmanager-app; then
        say "What was started stays up. To end it: ./scripts/quickstart.sh --stop"
    fi
    exit "$((rc == 0 ? 1 : rc))"
}
trap on_exit EXIT
trap 'exit 130' INT TERM

load_login() {
    if [ ! -s "$DATA_DIR/login" ]; then
        (
            umask 077
            printf 'admin %s\n' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$DATA_DIR/login"
        )
    fi
    read -r ADMIN_USERNAME ADMIN_PASSWORD <"$DATA_DIR/login"
}

if [ "$stop" = yes ]; then
    if ! runs poolmanager-admin && ! runs poolmanager-app; then
        say "Nothing runs out of $DATA_DIR."
    else
        read -r APP_PORT ADMIN_PORT <"$DATA_DIR/ports"
        APP="http://127.0.0.1:$APP_PORT" ADMIN="http://127.0.0.1:$ADMIN_PORT"
        load_login
        say "Removing the host and its networks ..."
        if ! sign_in || ! delete_host; then warn "admin could not remove the host; removing by hand"; fi
    fi
    end_all
    remove_data
    say "Ended."
    finished=yes
    exit 0
fi

# --- 1: what it runs on -----------------------------------------------------------------------------------------------

heading "Looking at this machine"
have curl || apt_install "the quickstart" curl ca-certificates || exit 1
have cargo || die "no cargo. Install Rust by rustup, https://rustup.rs (as yourself, no root needed); then run this again."
if ! have cc || ! have make; then apt_install "the build" gcc libc6-dev make || exit 1; fi

reused=no
if [ "$once" = yes ] && { runs poolmanager-admin || runs poolmanager-app; }; then
    finished=yes
    die "something runs out of $DATA_DIR already, and --once would end it: choose another DATA_DIR, or: scripts/quickstart.sh --stop"
elif runs poolmanager-admin && runs poolmanager-app; then
    read -r running_app running_admin <"$DATA_DIR/ports"
    if [ "$running_app $running_admin" != "$APP_PORT $ADMIN_PORT" ]; then
        die "it runs already out of $DATA_DIR, on APP_PORT=$running_app ADMIN_PORT=$running_admin. Use these, or end it: scripts/quickstart.sh --stop"
    fi
    say "  It runs already: using what is there. (To end it: scripts/quickstart.sh --stop)"
    reused=yes
else
    end poolmanager-app
    end poolmanager-admin
    if port_taken "$APP_PORT"; then die "port $APP_PORT is taken: choose another for app, APP_PORT=8001 scripts/quickstart.sh"; fi
    if port_taken "$ADMIN_PORT"; then die "port $ADMIN_PORT is taken: choose another for admin, ADMIN_PORT=8081 scripts/quickstart.sh"; fi
fi

# What the engine is: from the last time while that runs, else found.
find_engine() {
    local url
    if [ "$engine" = sim ]; then
        say "  Using a simulated Docker engine, as asked."
        return 0
    fi
    url=$(docker_url)
    if docker_answers "$url"; then
        say "  A Docker engine answers at $url"
        engine=docker
    elif [ "$url" != "unix://$DOCKER_SOCKET" ]; then
        no_engine "no Docker engine answers at $url (DOCKER_HOST, or the current docker context)"
    elif [ -S "$DOCKER_SOCKET" ] && [ ! -w "$DOCKER_SOCKET" ]; then
        no_engine "you may not use $DOCKER_SOCKET (be root, or join its group: sudo usermod -aG docker $(id -un))"
    elif [ "$(id -u)" != 0 ]; then
        no_engine "no Docker engine runs here, and installing or starting one needs root"
    elif ! have dockerd && ! have apt-get; then
        no_engine "there is no Docker engine, and this is neither Debian nor Ubuntu"
    elif scripts/real-parts.sh --docker; then
        engine=docker
    else
        no_engine "a Docker engine could not be installed and started; see above"
    fi
}
no_engine() {
    if [ "$engine" = docker ]; then die "$1"; fi
    warn "$1."
    say "  So a simulated engine is used: everything works but the containers, which are imitated."
    engine=sim
}
if [ "$reused" = yes ] && [ -s "$DATA_DIR/engine" ]; then engine=$(cat "$DATA_DIR/engine"); else find_engine; fi
echo "$engine" >"$DATA_DIR/engine"

# --- 2: build ---------------------------------------------------------------------------------------------------------

heading "Building (the first time takes minutes; cargo shows how far it is)"
packages=(-p app -p admin)
if [ "$engine" = sim ]; then packages+=(-p simdocker); fi
scripts/build-ui.sh || exit 1
cargo build --profile quickstart --bins "${packages[@]}" >&2 || die "the build failed; cargo's words are above"

if [ "$engine" = docker ] && [ "$FABRIC_PEER_IMAGE" = poolmanager/fabricsim:0.6 ]; then
    heading "Building the peers' image, $FABRIC_PEER_IMAGE"
    ./scripts/build-fabricsim-image.sh >&2 || die "the image could not be built; see above"
fi

# --- 3: start ---------------------------------------------------------------------------------------------------------

heading "Starting"
load_login
if [ "$engine" = sim ]; then
    # A loopback address of its own, where its networks' ports answer as well.
    sim_at=127.$((RANDOM % 200 + 20)).$((RANDOM % 250 + 1)).$((RANDOM % 250 + 1))
    if [ -s "$DATA_DIR/sim-at" ]; then
        sim_at=$(cat "$DATA_DIR/sim-at")
    elif runs simdocker; then
        # What an interrupted run left: nobody knows where it answers.
        end simdocker
    fi
    if ! runs simdocker; then
        echo "$sim_at" >"$DATA_DIR/sim-at"
        start simdocker "$BIN/simdocker" --listen "tcp://$sim_at:2375" --start-time 100ms --image "$FABRIC_PEER_IMAGE"
    fi
    wait_ready simdocker "http://$sim_at:2375/_ping"
    daemon_url=tcp://$sim_at:2375 address=$sim_at bind_address=0.0.0.0
    say "  simdocker at $daemon_url"
else
    daemon_url=$(docker_url)
    case "$daemon_url" in
    tcp://127.* | tcp://localhost* | unix://*) address=127.0.0.1 bind_address=127.0.0.1 ;;
    *) address="" bind_address=0.0.0.0 ;;
    esac
fi
if [ "$reused" = no ]; then
    echo "$APP_PORT $ADMIN_PORT" >"$DATA_DIR/ports"
    # The password not as an argument of env, see admin above.
    ADMIN_PASSWORD="$ADMIN_PASSWORD" start poolmanager-admin env DATA_DIR="$DATA_DIR" ADMIN_PORT="$ADMIN_PORT" \
        ADMIN_USERNAME="$ADMIN_USERNAME" FABRIC_PEER_IMAGE="$FABRIC_PEER_IMAGE" POOL_MIX="$POOL_MIX" "$BIN/poolmanager-admin"
    wait_ready poolmanager-admin "$ADMIN/readyz"
    start poolmanager-app env DATA_DIR="$DATA_DIR" APP_PORT="$APP_PORT" AUTH=open FABRIC_PEER_IMAGE="$FABRIC_PEER_IMAGE" "$BIN/poolmanager-app"
    wait_ready poolmanager-app "$APP/readyz"
fi
say "  admin at $ADMIN, app at $APP (logs and data: $DATA_DIR)"

# --- 4: a host, and its pool ------------------------------------------------------------------------------------------

heading "Filling a pool of $CAPACITY networks on host '$HOST' ($daemon_url)"
sign_in || die "could not sign in at admin as $ADMIN_USERNAME"
if [ -z "$(host_id)" ]; then
    admin POST /api/v1/hosts "{\"name\":\"$HOST\",\"daemon_url\":\"$daemon_url\",\"address\":\"$address\",\"bind_address\":\"$bind_address\",\"capacity\":$CAPACITY,\"schedulable\":true,\"autofill\":true}" >/dev/null ||
        die "admin did not take the host; its words are above"
fi
wait_full 180

# --- 5: a lease -------------------------------------------------------------------------------------------------------

heading "Applying for a network as alice"
say "  GET $APP/v2/cluster_op?action=apply&user_id=alice"
answer=$(curl -sS --max-time 10 -w '\n%{time_total}' "$APP/v2/cluster_op?action=apply&user_id=alice")
took=${answer##*$'\n'}
lease=${answer%$'\n'*}
if [[ $lease == *"No available res"* ]]; then die "none is free: every network is held. Release one, or start anew: scripts/quickstart.sh --stop"; fi
[ "$(text_of status <<<"$lease")" = OK ] || die "apply was refused: $lease"
say "  $lease"
cluster=$(sed -n 's/.*"data" *: *{//p' <<<"$lease" | text_of id)
peer=$(text_of api_url <<<"$lease")
size=$(number_of size <<<"$lease")
if [ -z "$cluster" ] || [ -z "$peer" ] || [ -z "$size" ]; then die "this is no lease with id, api_url and size"; fi
say "  Leased in $took s: a network of $size peers, its REST API at $peer"

heading "Using it"
say "  GET $peer/network/peers"
peers=$(curl -fsS --max-time 10 "$peer/network/peers") || die "the network does not answer at $peer"
say "  $peers"
[ "$(count_of '"name"' <<<"$peers")" = "$size" ] || die "these are not $size peers"

height() { curl -fsS --max-time 10 "$peer/chain" | number_of height; }
# call METHOD CHAINCODE FUNCTION ARGS ID: the message of the answer, which must be OK.
call() {
    local answer
    answer=$(curl -fsS --max-time 20 -H 'Content-Type: application/json' --data \
        "{\"jsonrpc\":\"2.0\",\"method\":\"$1\",\"params\":{\"type\":1,\"chaincodeID\":{$2},\"ctorMsg\":{\"function\":\"$3\",\"args\":[$4]}},\"id\":$5}" \
        "$peer/chaincode") || die "$1 was refused"
    [[ $answer == *'"OK"'* ]] || die "$1 was refused: $answer"
    text_of message <<<"$answer"
}
# grown FROM: waits until the chain is higher, and says how high.
grown() {
    local now deadline=$((SECONDS + 20))
    while now=$(height) && ((now <= $1)); do
        if ((SECONDS > deadline)); then die "the chain did not grow beyond $1 in 20 s"; fi
        sleep 0.1
    done
    printf '%s\n' "$now"
}
at_first=$(height)
code=$(call deploy '"path":"github.com/hyperledger/fabric/examples/chaincode/go/chaincode_example02"' init '"a","100","b","200"' 1)
after_deploy=$(grown "$at_first")
say "  deploy chaincode_example02 (a has 100, b has 200): the chain grew from $at_first to $after_deploy blocks"
transaction=$(call invoke "\"name\":\"$code\"" invoke '"a","b","10"' 2)
after_invoke=$(grown "$after_deploy")
say "  invoke, a gives b 10, transaction $transaction: $after_invoke blocks"
has=$(call query "\"name\":\"$code\"" query '"a"' 3)
say "  query: a has $has"
[ "$has" = 90 ] || die "a should have 90"

# --- 6: give it back --------------------------------------------------------------------------------------------------

heading "Releasing it"
answer=$(curl -sS --max-time 10 "$APP/v2/cluster_op?action=release&cluster_id=$cluster")
[ "$(text_of status <<<"$answer")" = OK ] || die "release was refused: $answer"
say "  $answer"
say "  Its containers go, and a new network takes its place:"
wait_full 120 "$cluster"
say "  The pool is full again."

# --- 7: end, or leave it running --------------------------------------------------------------------------------------

if [ "$once" = yes ]; then
    heading "Cleaning up"
    delete_host || die "the host and its networks were not removed; see above"
    if [ "$engine" = docker ] && have docker && [ -n "$(docker ps -aq --filter "name=^${HOST}_")$(docker network ls -q --filter "name=^${HOST}_")" ]; then
        die "something of $HOST is left on the engine"
    fi
    end_all
    remove_data
    finished=yes
    say ""
    say "Every step worked, in $((SECONDS - begun)) s."
    exit 0
fi
finished=yes
say ""
say "All of it worked, in $((SECONDS - begun)) s. It stays up:"
say ""
say "    for users      $APP/v2/clusters       (try: curl '$APP/v2/cluster_op?action=apply&user_id=bob')"
say "    for operators  $ADMIN            sign in as $ADMIN_USERNAME, password $ADMIN_PASSWORD"
say "    logs and data  $DATA_DIR"
say "    to end it      ./scripts/quickstart.sh --stop"
