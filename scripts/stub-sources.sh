#!/bin/sh
# Gives every package an empty source, so that an image's layer of dependencies depends on the manifests alone. Only for the
# Dockerfile: run elsewhere it would write over sources, so it refuses where there are any.
set -eu
for manifest in app common admin crates/*; do
    [ -f "$manifest/Cargo.toml" ] || continue
    if [ -e "$manifest/src" ]; then
        echo "stub-sources.sh: $manifest has sources already" >&2
        exit 1
    fi
    mkdir "$manifest/src"
    : >"$manifest/src/lib.rs"
done
for program in app admin; do echo 'fn main() {}' >"$program/src/main.rs"; done
