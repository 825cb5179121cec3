#!/usr/bin/env bash
# Builds the engine, installs it, starts it and runs a first container. Quick when repeated.
#   PREFIX=/usr/local ./install.sh
set -euo pipefail
cd "$(dirname "$0")"
PREFIX=${PREFIX:-/usr/local}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/container-runtime/target}
PATH=$PATH:$HOME/.cargo/bin

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

scripts/setup build
dist=$CARGO_TARGET_DIR/dist
echo "Building (a few minutes the first time) …"
cargo xtask dist "$dist"

as_root mkdir -p "$PREFIX/bin"
for program in container-runtime container-runtime-shim; do
  cmp -s "$dist/$program" "$PREFIX/bin/$program" && continue
  # Under another name first: the old one may be running.
  as_root install -m 755 "$dist/$program" "$PREFIX/bin/$program.new"
  as_root mv -f "$PREFIX/bin/$program.new" "$PREFIX/bin/$program"
  changed=yes
done

engine=$PREFIX/bin/container-runtime
if [ -d /run/systemd/system ]; then
  # systemd holds the socket, and starts the daemon when somebody calls, or at boot for those that restart by themselves.
  for unit in container-runtime.service container-runtime.socket; do
    sed "s|/usr/local/bin/|$PREFIX/bin/|" "deploy/systemd/$unit" | as_root tee "/etc/systemd/system/$unit" >/dev/null
  done
  as_root systemctl daemon-reload
  if as_root systemctl --quiet is-active container-runtime.service; then
    [ "${changed:-no}" = no ] || as_root systemctl restart container-runtime.service
  elif ! as_root systemctl --quiet is-active container-runtime.socket; then
    # A daemon that a command started by itself gives way.
    [ ! -S /run/container-runtime/engine.sock ] || as_root "$engine" system shutdown || true
    as_root systemctl start container-runtime.socket
  fi
  as_root systemctl --quiet enable container-runtime.socket container-runtime.service
elif [ "${changed:-no}" = yes ] && [ -S /run/container-runtime/engine.sock ]; then
  # A daemon of the old build ends; its containers go on, and the new one adopts them.
  as_root "$engine" system shutdown || true
fi

echo
echo "\$ container-runtime run --rm hello-world"
as_root "$engine" run --rm hello-world

cat <<TEXT

The engine runs. How to go on:

  container-runtime run --rm -it IMAGE        a shell in a container; the daemon starts by itself where it is not running
  container-runtime --help                    the commands, the same as docker's
  export DOCKER_HOST=unix:///run/container-runtime/engine.sock
  docker ps                                   the docker command line, compose and SDKs work with it too
TEXT
