#!/usr/bin/env bash
# Runs the Python tests with the interpreter of $VENV (made with $PYTHON if need be). Arguments go to pytest.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

"$ROOT/tools/setup_venv.sh" test
exec "$VENV/bin/python" -m pytest "$@"
