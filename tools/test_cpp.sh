#!/usr/bin/env bash
# Builds one preset (default: dev) and runs its C++ tests.
#
#   tools/test_cpp.sh [PRESET]     CXX=... selects the compiler; CTEST_ARGS=... is passed on to ctest
#
# Preset clang is dev with a clang++, the oldest that we promise if there is a choice. What the tests need and the machine
# lacks is installed, or named, before anything is built: no test is left out in silence.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"
preset=${1:-dev}

if [ "$preset" = clang ] && [ -z "${CXX:-}" ]; then
    CXX=$(find_clang)
    [ -n "$CXX" ] || die "preset clang needs clang++: apt-get install clang-14"
    export CXX
fi
"$ROOT/tools/bootstrap.sh" python gtest cereal
"$ROOT/tools/setup_venv.sh" --only-tools
PATH=$VENV/bin:$PATH

build=$ROOT/build/$preset
mkdir -p "$build"
# Another compiler than the cached one: CMake would half-believe the cache, so it starts anew.
if [ -n "${CXX:-}" ] && [ -e "$build/CMakeCache.txt" ] &&
    ! grep -qx "CMAKE_CXX_COMPILER:[A-Z]*=$(command -v "$CXX")" "$build/CMakeCache.txt"; then
    rm -rf "$build"
fi
cmake --preset "$preset" >"$build/configure.log" 2>&1 || {
    cat "$build/configure.log"
    exit 1
}
cmake --build --preset "$preset" -j "$JOBS"

# ThreadSanitizer of g++ 12 and clang 14 does not start where the kernel randomises addresses by more bits than they
# knew of ("unexpected memory mapping"): the tests of that preset run without randomisation.
plain=
if [ "$preset" = tsan ] && setarch "$(uname -m)" -R true 2>/dev/null; then
    plain="setarch $(uname -m) -R"
fi
# shellcheck disable=SC2086  # lists of words
$plain ctest --preset "$preset" -j "$JOBS" ${CTEST_ARGS:-}
