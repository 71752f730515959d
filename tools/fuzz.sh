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

compiler=
for name in "${CXX:-clang++}" clang++-14 clang++ clang++-15 clang++-16 clang++-17 clang++-18 clang++-19; do
    case $name in *clang*) ;; *) continue ;; esac
    if command -v "$name" >/dev/null; then
        compiler=$(command -v "$name")
        break
    fi
done
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

# Memory of the embedded interpreter that lives as long as the program is no leak.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1 UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export PYTHONMALLOC=malloc
[ $# != 0 ] || set -- lane control_messages face_codec python_codec
failed=
run_one() {
    local program=$1
    mkdir -p "$build/corpus/$program"
    "$build/fuzz_$program" -max_total_time="$seconds" -timeout=60 -rss_limit_mb=4096 -print_final_stats=1 \
        -artifact_prefix="$build/failures/$program-" "$build/corpus/$program" "$ROOT/fuzz/corpus/$program" \
        >"$build/$program.log" 2>&1
}
# Two at a time: as many as a small machine has processors for.
while [ $# != 0 ]; do
    first=$1 second=${2:-}
    shift
    [ -z "$second" ] || shift
    one= two=
    if [ -x "$build/fuzz_$first" ]; then
        run_one "$first" &
        one=$!
    fi
    if [ -n "$second" ] && [ -x "$build/fuzz_$second" ]; then
        run_one "$second" &
        two=$!
    fi
    for each in "$first:$one" "$second:$two"; do
        program=${each%%:*} job=${each#*:}
        [ -n "$program" ] || continue
        if [ -z "$job" ]; then
            echo "== fuzz $program: NOT RUN, it was not built"
        elif wait "$job"; then
            echo "== fuzz $program: $(grep -E '^stat::number_of_executed_units' "$build/$program.log" | tr -s ' ' | cut -d' ' -f2) inputs, nothing found"
        else
            tail -n 60 "$build/$program.log"
            echo "== fuzz $program: FAILED"
            failed="$failed $program"
        fi
    done
done
[ -z "$failed" ]
