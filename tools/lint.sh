#!/usr/bin/env bash
# All checks that need no run of the code, but that stubs are compared with the extension they describe. Doxygen is installed for
# it, or its lack is a failure. `tools/lint.sh --fix` formats and mends what can be mended by itself.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"

"$ROOT/tools/setup_venv.sh" dev
PATH=$VENV/bin:$PATH

cpp_files() {
    find include src python/src tests examples bench fuzz -name '*.[ch]pp' -print0 2>/dev/null | LC_ALL=C sort -z
}

if [ "${1:-}" = --fix ]; then
    cpp_files | xargs -0 -r clang-format -i
    ruff check -q --fix . || true
    ruff format -q .
fi

# Each check runs whatever the one before said: one look shows all there is to mend.
failed=
check() {
    local name=$1
    shift
    if "$@"; then
        say "$name: fine"
    else
        failed="$failed $name"
    fi
}
clang_format() { cpp_files | xargs -0 -r clang-format --dry-run -Werror; }

check layers python tools/check_layers.py
check 'fault page' python tools/faults_page.py --check
check clang-format clang_format
check ruff ruff check -q --output-format concise .
check ruff-format ruff format -q --check .
check mypy mypy --no-error-summary
check docs tools/docs.sh
check stubtest python -m mypy.stubtest --concise hardwork._engine
[ -z "$failed" ] || die "lint failed:$failed"
