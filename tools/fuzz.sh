#!/usr/bin/env bash
# Feeds hostile bytes to what reads bytes, under ASan and UBSan: each program of fuzz/ for so many seconds.
#
#   tools/fuzz.sh [SECONDS] [PROGRAM...]     default: 60 seconds, all programs
#   tools/fuzz.sh --check                    whether there is what it needs
#
# It begins with fuzz/corpus/<program>, and keeps what it finds beside it in build/fuzz/corpus. What fails is written to
# build/fuzz/failures: put it into fuzz/corpus/<program> together with the mend.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"
seconds=${1:-60}
[ $# = 0 ] || shift

compiler=$(find_clang)
if [ -z "$compiler" ]; then
    echo "fuzzing needs clang++ with libFuzzer: apt-get install clang-14 libclang-rt-14-dev" >&2
    exit 1
fi

if [ "$seconds" = --check ]; then
    probe=$(mktemp -d)
    trap 'rm -rf "$probe"' EXIT
    printf 'extern "C" int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long) { return 0; }\n' >"$probe/probe.cpp"
    "$compiler" -fsanitize=fuzzer,address,undefined "$probe/probe.cpp" -o "$probe/probe"
    exit
fi

"$ROOT/tools/setup_venv.sh" --only-tools
PATH=$VENV/bin:$PATH
build=$ROOT/build/fuzz
mkdir -p "$build/failures"
cmake --preset fuzz -DCMAKE_CXX_COMPILER="$compiler" >"$build/configure.log" 2>&1 || {
    cat "$build/configure.log"
    exit 1
}
cmake --build --preset fuzz -j "$JOBS"

export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONMALLOC=malloc
[ $# != 0 ] || set -- lane control_messages face_codec python_codec

# fuzz_one PROGRAM: its output goes to a log, of which a failure shows the end.
fuzz_one() {
    local program=$1 log=$build/$1.log
    if [ ! -x "$build/fuzz_$program" ]; then
        echo "== fuzz $program: NOT RUN, it was not built"
        return 0
    fi
    mkdir -p "$build/corpus/$program"
    # Memory of the embedded interpreter that lives as long as the program is no leak.
    local leaks=1
    [ "$program" != python_codec ] || leaks=0
    export ASAN_OPTIONS=detect_leaks=$leaks:allocator_may_return_null=1
    if "$build/fuzz_$program" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$build/failures/$program-" "$build/corpus/$program" "$ROOT/fuzz/corpus/$program" \
        >"$log" 2>&1; then
        echo "== fuzz $program: $(awk '/^stat::number_of_executed_units/ { print $2 }' "$log") inputs, nothing found"
    else
        tail -n 60 "$log"
        echo "== fuzz $program: FAILED"
        return 1
    fi
}
export -f fuzz_one
export build seconds ROOT
# shellcheck disable=SC2016  # expanded by the inner shell
printf '%s\n' "$@" | xargs -n 1 -P "$JOBS" bash -c 'fuzz_one "$1"' bash
