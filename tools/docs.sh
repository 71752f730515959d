#!/usr/bin/env bash
# The C++ reference, by Doxygen: build/docs/html/index.html. Fails if something public is not documented.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

"$ROOT/tools/bootstrap.sh" doxygen
rm -rf build/docs
mkdir -p build/docs
doxygen docs/Doxyfile
# What else it finds fault with differs from version to version: it is shown, and no reason to fail.
[ ! -s build/docs/warnings.txt ] || sed "s,^$ROOT/,," build/docs/warnings.txt
! grep -q 'is not documented' build/docs/warnings.txt || die "there are public symbols without documentation"
