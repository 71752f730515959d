#!/usr/bin/env bash
# Runs real clients with the original pools and with ours, in an environment of their own: they are many and large. Then
# programs of ours in IPython, a notebook and workers of pytest-xdist. With arguments, which go to pytest, the first only.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

VENV=$ROOT/.venvs/clients
export VENV
"$ROOT/tools/setup_venv.sh" clients environments test
"$VENV/bin/python" -m pytest -c tests/clients/pytest.ini tests/clients "$@"
[ $# != 0 ] || exec "$VENV/bin/python" -m pytest tests/python/test_environments.py
