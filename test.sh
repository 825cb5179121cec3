#!/usr/bin/env bash
# Runs all tests. Arguments go to nextest: ./test.sh -p logs
set -euo pipefail
cd "$(dirname "$0")"
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/container-runtime/target}
PATH=$PATH:$HOME/.cargo/bin:${XDG_CACHE_HOME:-$HOME/.cache}/container-runtime/tools/bin

scripts/setup test
if [ "$(id -u)" != 0 ] && command -v sudo >/dev/null; then
  # Engines need root; compiling does not.
  export CARGO_TARGET_X86_64_UNKNOWN_LINUX_GNU_RUNNER="sudo --preserve-env"
fi

cargo fmt --check
cargo clippy --quiet --locked --workspace --all-targets -- -D warnings
# Only `cargo xtask vm` runs these, see docs/testing.md.
cargo clippy --quiet --locked -p tests --test vm -- -D warnings
# The end-to-end tests run these two.
cargo build --quiet --locked -p container-runtime -p container-runtime-shim
cargo nextest run --locked --workspace "$@"
