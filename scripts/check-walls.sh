#!/usr/bin/env bash
# Checks the walls of docs/architecture.md that the compiler does not: who may name what. Reads files; changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    say "Usage: scripts/check-walls.sh    (walls: see docs/architecture.md, 'Walls'; exit 1 if one is broken)"
    exit 0
fi

broken=0

# wall WHAT PATTERN FILES...: none of these files may have a line with the pattern, comments apart. FILES are git pathspecs.
wall() {
    local what=$1 pattern=$2 hits
    shift 2
    hits=$(git grep -nE --untracked "$pattern" -- "$@" | grep -vE '^[^:]+:[0-9]+:[[:space:]]*(//|#[^[!])' || true)
    if [ -n "$hits" ]; then
        broken=$((broken + 1))
        say "Broken wall: $what"
        head -n 10 <<<"$hits" | sed 's/^/    /' >&2
    fi
}

rust=(':(glob)**/*.rs')
manifests=(':(glob)**/Cargo.toml')
not_tests=(':(exclude,glob)**/*_test.rs' ':(exclude,glob)**/tests/**' ':(exclude)crates/e2e')

wall "only crates/engine talks to Docker: bollard is named elsewhere" \
    '\bbollard\b *(::|;|\{)' "${rust[@]}" ':(exclude)crates/engine' ':(exclude)crates/simdocker/tests' ':(exclude)crates/e2e'
wall "only crates/engine (and the tests of crates/simdocker, and crates/e2e) may depend on bollard" \
    '^bollard\b' "${manifests[@]}" ':(exclude)Cargo.toml' ':(exclude)crates/engine' ':(exclude)crates/simdocker' ':(exclude)crates/e2e'
wall "only common/src/store names a database" \
    '\b(mongodb|rusqlite|bson)::' "${rust[@]}" ':(exclude)common/src/store' ':(exclude)common/tests' ':(exclude)crates/e2e'
wall "only common (and crates/e2e) may depend on a database's driver" \
    '^(mongodb|rusqlite|bson)\b' "${manifests[@]}" ':(exclude)Cargo.toml' ':(exclude)common' ':(exclude)crates/e2e'

pure=(':(glob)common/src/model/**' ':(glob)common/src/compose/**' ':(glob)admin/src/reconciler/plan/**'
    ':(glob)admin/src/reconciler/memory/**')
wall "the model, compose, the plans and what loops remember have no async" '\basync (fn|move|\{)|\.await\b' "${pure[@]}"
wall "the model, compose, the plans and what loops remember take the time as a value" '::now\(\)|\bclock::' "${pure[@]}"
wall "compose and the plans take chance as a value" '\brand::' ':(glob)common/src/compose/**' ':(glob)admin/src/reconciler/plan/**' "${not_tests[@]}"

wall "routes are only in routes.rs" \
    'web::(resource|scope|get|post|put|patch|delete|route)\(|\.route\(|#\[(get|post|put|patch|delete|route)\(' \
    ':(glob)app/src/**/*.rs' ':(glob)admin/src/**/*.rs' ':(glob)common/src/**/*.rs' \
    ':(exclude,glob)**/routes.rs' "${not_tests[@]}"
wall "the environment is read only in config.rs (and in config/)" \
    '\benv::(var|vars|var_os|vars_os)\b' ':(glob)app/**/*.rs' ':(glob)admin/**/*.rs' ':(glob)common/**/*.rs' \
    ':(exclude,glob)**/config.rs' ':(exclude,glob)**/config/**' ':(exclude,glob)**/build.rs' "${not_tests[@]}"
wall "app and admin do not know each other" '\badmin::' ':(glob)app/**/*.rs'
wall "app and admin do not know each other" '\bapp::' ':(glob)admin/**/*.rs'
wall "no test is switched off" '#\[ignore' "${rust[@]}"
# Written in two parts so that this line is no hit itself; comments count here.
later='TO''DO|FIX''ME|todo''!\('
if hits=$(git grep -nwE --untracked "$later" -- ':(exclude)Cargo.lock' ':(glob,exclude)**/package-lock.json'); then
    broken=$((broken + 1))
    say "Broken wall: what is to be done stands in an issue, not in a file"
    head -n 10 <<<"$hits" | sed 's/^/    /' >&2
fi

# Cargo's own answer to what app is made of.
tree=$(cargo tree --offline -p app -e normal --prefix none --format '{p}' 2>/dev/null) ||
    tree=$(cargo tree -p app -e normal --prefix none --format '{p}')
for crate in bollard engine admin; do
    if grep -qE "^$crate v" <<<"$tree"; then
        broken=$((broken + 1))
        say "Broken wall: app is built with $crate (cargo tree -p app -e normal -i $crate)"
    fi
done

if ((broken > 0)); then die "$broken of the walls are broken"; fi
say "All walls stand."
