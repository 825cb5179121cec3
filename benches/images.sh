#!/usr/bin/env bash
# Pull, push, save and load of one image of many small files (6 layers, 98 MB compressed, 273 MB unpacked), beside the
# engines that this machine has, from a registry of our own on loopback. Needs root, skopeo, and a quiet machine.
#
#   benches/images.sh [ROUNDS]            peers: DOCKER=unix:///run/docker.sock PODMAN=unix:///run/podman/podman.sock
#
# Docker and Podman come from Debian's packages docker.io and podman; Podman's socket is `podman system service --time 0`, and
# its registries.conf must let 127.0.0.1 be insecure. Both are left out where their sockets do not exist.
set -euo pipefail
cd "$(dirname "$0")/.."
ROUNDS=${1:-5}
DOCKER=${DOCKER:-unix:///run/docker.sock}
PODMAN=${PODMAN:-unix:///run/podman/podman.sock}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/container-runtime/target}

dist=$CARGO_TARGET_DIR/dist
cargo xtask dist "$dist"
cargo xtask fixtures bench-python

work=$(mktemp -d)
"$dist/container-runtime" registry serve --listen 127.0.0.1:0 --storage "$work/registry" --log-level error >"$work/port" &
registry=$!
trap 'kill $registry; wait $registry 2>/dev/null || true; rm -rf "$work"' EXIT
until address=$(sed -n 's/^listening on //p' "$work/port") && [ -n "$address" ]; do sleep 0.05; done
cargo xtask fixtures bench-python --push "$address"

peers=()
[ ! -S "${DOCKER#unix://}" ] || peers+=(--peer "docker=$DOCKER")
[ ! -S "${PODMAN#unix://}" ] || peers+=(--peer "podman=$PODMAN")
"$dist/container-runtime" benchmark images --rounds "$ROUNDS" "${peers[@]}" "$address/library/bench-python:latest"
