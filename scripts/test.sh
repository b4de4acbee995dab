#!/usr/bin/env bash
# Everything that must hold: style, walls, lints, documents, every test on real parts, and the quickstart itself. CI runs this.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'END'
Usage: scripts/test.sh [--all] [--help]

Gets the real parts that are missing (scripts/real-parts.sh), then checks everything; stops at the first step that fails.

  --all   also install cargo-deny (about three minutes) when it is missing, to check licences and sources; and try the deployment
          in all its variants. CI=true means the same. Without either, what did not run is said.

To run less: cargo test -p common; see docs/testing.md.
END
}

all=no
if [ "${CI:-}" = true ]; then
    all=yes
    # Nothing is built twice from one tree in CI, so what speeds up the second build only costs there.
    export CARGO_INCREMENTAL=0
fi
for arg in "$@"; do
    case "$arg" in
    --all) all=yes ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "unknown option: $arg" ;;
    esac
done

summary=()
begun=$SECONDS
total() { printf '%d min %02d s' $(((SECONDS - begun) / 60)) $(((SECONDS - begun) % 60)); }

show_summary() {
    local line
    printf '\n%-9s %8s  %s\n' result seconds step
    for line in "${summary[@]}"; do printf '%s\n' "$line"; done
}

# step NAME COMMAND...: runs it under a heading; the first that fails ends it all.
step() {
    local name=$1 began=$SECONDS rc=0
    shift
    printf '\n=== %s\n' "$name"
    # In a shell of its own, so that whatever ends it, the summary is still shown.
    ("$@") || rc=$?
    if ((rc != 0)); then
        summary+=("$(printf '%-9s %8d  %s' FAILED $((SECONDS - began)) "$name")")
        show_summary
        printf '\nFailed: %s (exit %d), after %s in all.\n' "$name" "$rc" "$(total)"
        exit 1
    fi
    summary+=("$(printf '%-9s %8d  %s' passed $((SECONDS - began)) "$name")")
    printf -- '--- %s: %d s\n' "$name" $((SECONDS - began))
}

not_run() {
    summary+=("$(printf '%-9s %8s  %s' 'NOT RUN' - "$1: $2")")
    printf '\n=== %s\nNot run: %s\n' "$1" "$2"
}

toolchain() {
    have cargo || die "no cargo. Install Rust by rustup (https://rustup.rs): rust-toolchain.toml then chooses the version."
    # With rustup the first call fetches the pinned version, if it is not there.
    cargo --version && rustc --version || return 1
    cargo fmt --version || die "no rustfmt: rustup component add rustfmt"
    cargo clippy --version || die "no clippy: rustup component add clippy"
}

shell_scripts() { shellcheck -x scripts/*.sh nginx/*.sh mongo/*.sh .ci/run; }

# By the Compose that is here, and by Compose 2.
compose_files() {
    local newer tool
    newer=$(scripts/get-compose-2.sh) || return 1
    if have docker-compose; then tool=docker-compose; else tool=$newer/docker-compose; fi
    export INTERNAL_SECRET=check MONGO_PASSWORD=check MONGO_APP_PASSWORD=check MONGO_ROOT_PASSWORD=check GRAFANA_ADMIN_PASSWORD=check
    for tool in "$tool" "$newer/docker-compose"; do
        "$tool" version | head -n 1
        reads "$tool" || return 1
        MONGO_DATA=mongo reads "$tool" || return 1
        reads "$tool" tls || return 1
        reads "$tool" ha || return 1
        reads "$tool" monitoring || return 1
        reads "$tool" tls ha monitoring || return 1
    done
}

# reads TOOL OVERLAY...: whether it takes docker-compose.yml with these.
reads() {
    local tool=$1 overlay files=(-f docker-compose.yml)
    shift
    for overlay in "$@"; do files+=(-f "docker-compose.$overlay.yml"); done
    "$tool" "${files[@]}" --env-file .env.example config >/dev/null
}

# Where there is time, in every variant. --full, by hand, builds the images by every stage of the Dockerfile, too.
deployment() { if [ "$all" = yes ]; then ./scripts/test-deployment.sh --all; else ./scripts/test-deployment.sh; fi; }

documents() { RUSTDOCFLAGS="-D warnings" cargo doc --no-deps --workspace; }

quickstart() {
    APP_PORT=$(free_port) ADMIN_PORT=$(free_port) ./scripts/quickstart.sh --once "$@"
}

step "real parts" ./scripts/real-parts.sh
step "toolchain" toolchain
step "admin's pages: styles and scripts" ./scripts/build-ui.sh
step "format" cargo fmt --all --check
step "walls" ./scripts/check-walls.sh
step "links in documents" ./scripts/check-links.sh
step "shell scripts" shell_scripts
step "compose files" compose_files
step "scripts of admin's pages" node --test admin/ui/test/*.test.js
step "clippy" cargo clippy --workspace --all-targets -- -D warnings
step "documents of the code" documents
if ! have cargo-deny && [ "$all" = yes ]; then
    step "install cargo-deny" cargo install cargo-deny --version 0.20.2 --locked
fi
if have cargo-deny; then
    step "licences and sources" cargo deny --offline check --hide-inclusion-graph licenses bans sources
else
    not_run "licences and sources" "cargo-deny is not installed; --all installs it"
fi
step "fabricsim image" ./scripts/build-fabricsim-image.sh
step "tests" cargo test --workspace
step "browser: stories, and a picture of every page" ./scripts/test-browser.sh
if [ "$(id -u)" = 0 ]; then
    step "deployment" deployment
else
    not_run "deployment" "scripts/test-deployment.sh needs root, for a second Docker engine"
fi
step "quickstart, simulated engine" quickstart --sim
step "quickstart, real engine" quickstart --docker
show_summary
printf '\nAll passed in %s.\n' "$(total)"
