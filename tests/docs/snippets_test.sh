#!/usr/bin/env bash
# What the documents show of C++ compiles: snippets_test.sh COMPILER INCLUDE DOCUMENT...
#
# Each block ```cpp is tried as a program by itself; with tests/docs/context.hpp, which has what the documents leave to the
# reader; and with that, inside of a function.
set -u
compiler=$1
include=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

compiles() { "$compiler" -std=c++20 -fsyntax-only "-I$include" "-I$here" -x c++ "$1" 2>>"$work/errors"; }

count=0
wrong=0
for document in "$@"; do
    rm -f "$work"/block-*
    # A file for each block; its name says the line.
    awk -v work="$work" '
        /^ *```cpp/ { name = sprintf("%s/block-%05d", work, NR); printf "" >name; next }
        /^ *```/ { name = "" }
        name != "" { print >name }' "$document"
    for block in "$work"/block-*; do
        [ -e "$block" ] || continue
        count=$((count + 1))
        : >"$work/errors"
        { printf '#include "context.hpp"\n' && cat "$block"; } >"$work/with.cpp"
        { printf '#include "context.hpp"\nauto snippet() {\n' && cat "$block" && printf '}\n'; } >"$work/inside.cpp"
        if ! { grep -q '^#include' "$block" && compiles "$block"; } &&
            ! compiles "$work/with.cpp" && ! compiles "$work/inside.cpp"; then
            wrong=$((wrong + 1))
            printf 'WRONG: %s, line %d:\n' "$document" "$((10#${block##*-}))"
            cat "$block" "$work/errors"
        fi
    done
done
printf '%d blocks, %d wrong\n' $count $wrong
[ $count -gt 0 ] && [ $wrong = 0 ]
