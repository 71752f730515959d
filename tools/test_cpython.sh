#!/usr/bin/env bash
# Runs CPython's own tests of process pools on ours, with the interpreter of $VENV (made with $PYTHON if need be).
# Arguments go to pytest; with --reference the standard library's pools are tested instead.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

"$ROOT/tools/setup_venv.sh" test
exec "$VENV/bin/python" -m pytest tests/cpython "$@"
