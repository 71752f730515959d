#!/usr/bin/env bash
# Builds bench/cpp as users get the library, and runs it; arguments are Google Benchmark's (--benchmark_filter=map), and
# --quick, which only tries everything.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

"$ROOT/tools/bootstrap.sh" python benchmark
"$ROOT/tools/setup_venv.sh" --only-tools
PATH=$VENV/bin:$PATH

build=$ROOT/build/bench
mkdir -p "$build"
cmake --preset release -B "$build" -DHARDWORK_BUILD_TESTS=OFF -DHARDWORK_BUILD_EXAMPLES=OFF -DHARDWORK_BUILD_BENCH=ON \
    >"$build/configure.log" 2>&1 || {
    cat "$build/configure.log"
    exit 1
}
cmake --build "$build" -j "$JOBS" --target hardwork_bench
"$build/hardwork_bench" "$@"
