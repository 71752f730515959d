#!/usr/bin/env bash
# What the documents show of C++ compiles: snippets_test.sh COMPILER INCLUDE DOCUMENT...
#
# Each block ```cpp stands in a namespace of its own, and, unless it has functions or types, in a function there; what the
# documents leave to the reader is in tests/docs/context.hpp. Blocks that are whole programs are compiled by themselves, too.
set -u
compiler=$1
include=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

compiles() { "$compiler" -std=c++20 -Wno-return-type -fsyntax-only "-I$include" "-I$here" -x c++ "$1" || failed=1; }

# A file for each block, which begins with where it is from.
count=0
for document in "$@"; do
    awk -v work="$work" -v document="$document" -v number="$count" '
        /^ *```cpp/ {
            name = sprintf("%s/block-%03d", work, number++)
            printf "#line %d \"%s\"\n", NR + 1, document >name
            next
        }
        /^ *```/ { name = "" }
        name != "" { print >name }' "$document"
    count=$(find "$work" -name 'block-*' | wc -l)
done

printf '#include "context.hpp"\n' >"$work/all.cpp"
for block in "$work"/block-*; do
    if grep -q '^#include <c' "$block" && grep -q '^int main' "$block"; then compiles "$block"; fi
    {
        printf 'namespace %s {\n' "$(basename "$block" | tr - _)"
        if grep -qE '^(#include|struct |int main|HARDWORK_|auto hardwork_fields|[A-Za-z_:]+ [a-z_]+\(.*\) \{$)' "$block"; then
            cat "$block"
        else
            printf 'auto snippet() {\n' && cat "$block" && printf '}\n'
        fi
        printf '}\n'
    } >>"$work/all.cpp"
done
compiles "$work/all.cpp"
printf '%d blocks\n' "$count"
[ "$count" -gt 0 ] && [ $failed = 0 ]
