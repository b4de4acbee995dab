#!/usr/bin/env bash
# Checks that every link in the Markdown files to a file of this repository leads to one. Reads files; changes nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/lib.sh

if [ "${1:-}" = --help ] || [ "${1:-}" = -h ]; then
    say "Usage: scripts/check-links.sh    (exit 1 if a link leads nowhere)"
    exit 0
fi

dead=0 seen=0
while IFS= read -r file; do
    while IFS= read -r target; do
        case "$target" in
        http://* | https://* | mailto:* | '#'*) continue ;;
        esac
        seen=$((seen + 1))
        if [ ! -e "$(dirname "$file")/${target%%#*}" ]; then
            dead=$((dead + 1))
            say "$file: no such file: $target"
        fi
    done < <(grep -oE '\]\([^) ]+\)' "$file" | sed 's/^](//; s/)$//')
done < <(git ls-files --cached --others --exclude-standard '*.md')
if ((dead > 0)); then die "$dead of $seen links lead nowhere"; fi
say "All $seen links lead somewhere."
