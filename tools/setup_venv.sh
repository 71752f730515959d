#!/usr/bin/env bash
# Makes the virtual environment $VENV if need be, and installs hardwork into it if its sources have changed.
#
#   tools/setup_venv.sh [--only-tools] EXTRA...
#
# EXTRA are the optional dependencies that are wanted (pyproject.toml): test, dev, demo. With --only-tools hardwork
# itself is left as it is: the C++ tests and the linters do without.
#
# Quick where nothing has changed: stamps in the environment hold the hashes of what was installed.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"
cd "$ROOT"
export PIP_DISABLE_PIP_VERSION_CHECK=1

only_tools=
if [ "${1:-}" = --only-tools ]; then
    only_tools=yes
    shift
fi

"$ROOT/tools/bootstrap.sh" python
PYTHON=$(find_python)

# An environment of another interpreter than the one that is asked for, or of an older build of it, is made anew.
identity=$("$PYTHON" -c 'import sys, os; print(os.path.realpath(sys.executable), sys.version)')
if [ "$(cat "$VENV/.hardwork-python" 2>/dev/null)" != "$identity" ]; then
    say "making $VENV with $identity"
    rm -rf "$VENV"
    "$PYTHON" -m venv "$VENV"
    printf '%s\n' "$identity" >"$VENV/.hardwork-python"
fi

# PyPI's packages: hardwork's own dependencies, the extras that are asked for, and what builds the wheel. Read from
# pyproject.toml, which stays the only list; pip's own way (".[test]") would build the wheel along with them.
requirements() {
    "$VENV/bin/python" - "$@" <<'END'
import sys, tomllib
with open("pyproject.toml", "rb") as file:
    table = tomllib.load(file)
wanted = list(table["build-system"]["requires"])
wanted += table["project"]["dependencies"]
for extra in sys.argv[1:]:
    wanted += table["project"]["optional-dependencies"][extra]
print("\n".join(wanted))
END
    # What builds the C++, where the machine has none that would do.
    cmake_fits || echo 'cmake>=3.25'
    ninja --version >/dev/null 2>&1 || echo ninja
}

cmake_fits() {
    local version
    version=$(cmake --version 2>/dev/null | sed -n '1s/^cmake version //p')
    [ -n "$version" ] && [ "$(printf '3.25\n%s\n' "$version" | sort -V | head -n 1)" = 3.25 ]
}

# The same extras may be asked for one after another: each set has its stamp.
stamp=$VENV/.hardwork-requirements-$(printf '%s' "$*" | tr ' ' '-')
list=$(requirements "$@")
if [ "$(cat "$stamp" 2>/dev/null)" != "$list" ]; then
    say "installing into $(basename "$VENV"): $(printf '%s' "$list" | tr '\n' ' ')"
    # shellcheck disable=SC2086  # a list of words, none with blanks
    "$VENV/bin/python" -m pip install -q --prefer-binary $list
    printf '%s\n' "$list" >"$stamp"
fi

[ -z "$only_tools" ] || exit 0

# What the wheel is made of. Names count as well as contents: a deleted file must not stay installed.
content=$(
    {
        printf '%s\n' "${HARDWORK_FAULT_POINTS:-OFF}" "${CXX:-}"
        find CMakeLists.txt pyproject.toml README.md LICENSE cmake include src python \
            -type f ! -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z | xargs -0 sha256sum
    } | sha256sum | cut -d' ' -f1
)
stamp=$VENV/.hardwork-installed
if [ "$(cat "$stamp" 2>/dev/null)" != "$content" ]; then
    say "building and installing hardwork"
    rm -f "$stamp"
    # Without isolation, and with a build folder of its own for each environment, only what changed is compiled again.
    PATH="$VENV/bin:$PATH" CMAKE_BUILD_PARALLEL_LEVEL="$JOBS" "$VENV/bin/python" -m pip install -q \
        --no-build-isolation --no-deps --force-reinstall \
        --config-settings=build-dir="${HARDWORK_BUILD:-$ROOT/build}/wheel-$(basename "$VENV")" .
    printf '%s\n' "$content" >"$stamp"
fi
