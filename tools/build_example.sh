#!/usr/bin/env bash
# Builds one program of examples/ as users get it (preset release): build/release/examples/NAME.
#
#   tools/build_example.sh NAME
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"
name=$1

"$ROOT/tools/bootstrap.sh" python
"$ROOT/tools/setup_venv.sh" --only-tools demo
PATH=$VENV/bin:$PATH

build=$ROOT/build/release
mkdir -p "$build"
cmake --preset release -DHARDWORK_BUILD_TESTS=OFF -DHARDWORK_BUILD_EXAMPLES=ON >"$build/configure.log" 2>&1 || {
    cat "$build/configure.log"
    exit 1
}
cmake --build --preset release -j "$JOBS" --target "example_$name" >"$build/example.log" 2>&1 || {
    cat "$build/example.log"
    exit 1
}
