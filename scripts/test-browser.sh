#!/usr/bin/env bash
# Tells operators' stories in a real browser, to the real programs with simulated engines, and takes a picture of every page.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'END'
Usage: scripts/test-browser.sh [--help] [FILE...]

Runs the stories of admin/ui/tests (or only those FILEs) in Chromium, without a window. Each file starts programs of its own
on free ports, in a temporary folder, and ends them. Installs Chromium when it is missing (as root on Debian), gets the
packages of admin/ui, and builds admin, app and simdocker by cargo.

Environment: BIN_DIR (a folder that has the three programs already; nothing is built then), CHROMIUM (the browser's program),
SCREENSHOTS (target/screenshots), WITHIN (seconds, 300: what takes longer is ended).
END
}

files=()
for arg in "$@"; do
    case "$arg" in
    --help | -h) usage && exit 0 ;;
    -*) usage >&2 && die "unknown option: $arg" ;;
    *) files+=("$(realpath "$arg")") ;;
    esac
done

if [ -z "${CHROMIUM:-}" ]; then
    have chromium || apt_install "the tests in a browser" chromium fonts-dejavu-core || exit 1
    CHROMIUM=$(command -v chromium)
fi
[ -x "$CHROMIUM" ] || die "CHROMIUM: $CHROMIUM is no program"

scripts/build-ui.sh || exit 1
if [ -z "${BIN_DIR:-}" ]; then
    cargo build -p admin -p app -p simdocker --bins >&2 || die "the build failed; cargo's words are above"
    BIN_DIR="${CARGO_TARGET_DIR:-target}/debug"
fi
BIN_DIR=$(realpath "$BIN_DIR")
for name in poolmanager-admin poolmanager-app simdocker; do
    [ -x "$BIN_DIR/$name" ] || die "BIN_DIR: $BIN_DIR has no $name"
done

SCREENSHOTS=${SCREENSHOTS:-${CARGO_TARGET_DIR:-target}/screenshots}
mkdir -p "$SCREENSHOTS"
SCREENSHOTS=$(realpath "$SCREENSHOTS")
# Only pictures that this run took.
rm -f "$SCREENSHOTS"/*.png

cd admin/ui
if ((${#files[@]} == 0)); then files=(tests/*.test.mjs); fi
export BIN_DIR CHROMIUM SCREENSHOTS
results=$(mktemp)
trap 'rm -f "$results"' EXIT
rc=0
timeout --signal=INT --kill-after=20 "${WITHIN:-300}" node --test --test-concurrency=2 --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$results" "${files[@]}" || rc=$?
if ((rc == 124 || rc == 137)); then say "Ended after ${WITHIN:-300} s (WITHIN)."; fi
passed=$(sed -n 's/^# pass //p' "$results")
pictures=$(find "$SCREENSHOTS" -name '*.png' | wc -l)
say "browser: ${passed:-0} stories passed, $pictures screenshots in $SCREENSHOTS"
exit "$rc"
