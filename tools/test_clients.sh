#!/usr/bin/env bash
# Runs real clients with the original pools and with ours, in an environment of their own: they are many and large.
# Arguments go to pytest.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

VENV=$ROOT/.venvs/clients
export VENV
"$ROOT/tools/setup_venv.sh" clients
exec "$VENV/bin/python" -m pytest -c tests/clients/pytest.ini tests/clients "$@"
