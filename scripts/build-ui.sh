#!/usr/bin/env bash
# Builds what admin's pages load (styles, icons, scripts) into admin/ui/dist, which goes into the program.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

usage() {
    cat <<'EOF'
Usage: scripts/build-ui.sh [--help]

Installs Node.js and npm when they are missing (as root on Debian or Ubuntu), gets the packages that
admin/ui/package-lock.json names, and bundles them with admin/ui/src into admin/ui/dist. What is up to date is left as it is.
EOF
}

case "${1:-}" in
"") ;;
--help | -h) usage && exit 0 ;;
*) usage >&2 && die "unknown option: $1" ;;
esac

# The oldest that esbuild runs on.
NODE_MIN=18
ui=admin/ui
log="$(state_dir)/build-ui.log"

# What the last build was made from, so that one that would make the same again is spared.
sources() { find "$ui/package.json" "$ui/package-lock.json" "$ui"/*.mjs "$ui/src" admin/templates -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum; }
packages() { cat "$ui/package.json" "$ui/package-lock.json" | sha256sum; }

built="$ui/node_modules/.poolmanager-built"
installed="$ui/node_modules/.poolmanager-packages"
if [ -f "$ui/dist/app.js" ] && [ -f "$ui/dist/app.css" ] && [ -f "$ui/dist/icons.svg" ] &&
    [ "$(cat "$built" 2>/dev/null)" = "$(sources)" ]; then
    exit 0
fi

missing=()
have node || missing+=(nodejs)
have npm || missing+=(npm)
if ((${#missing[@]} > 0)); then apt_install "admin's pages" "${missing[@]}" || exit 1; fi
version=$(node --version)
major=${version#v}
((${major%%.*} >= NODE_MIN)) || die "Node.js is $version here; admin's pages need $NODE_MIN or newer (https://nodejs.org)"

say "Building admin's pages: styles, icons and scripts"
if [ "$(cat "$installed" 2>/dev/null)" != "$(packages)" ]; then
    with_progress "npm ci" "$log" npm --prefix "$ui" ci --ignore-scripts --no-audit --no-fund || exit 1
    packages >"$installed"
fi
rm -f "$built"
node "$ui/build.mjs" >&2 || die "the pages' styles and scripts could not be bundled; see above"
sources >"$built"
