# shellcheck shell=bash
# Sourced by the scripts in tools/: where things are, and how this project speaks.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The environment of `make`, made on demand. .ci/run gives each further Python one of its own.
VENV=${VENV:-$ROOT/.venv}
# Everything that compiles or tests side by side does so this many times.
JOBS=${JOBS:-$(nproc)}

say() { printf '== %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }

# What a Python must be for us: CPython, new enough, with the GIL, 64 bit.
python_fits() {
    "$1" -c '
import sys, sysconfig
sys.exit(not (sys.version_info >= (3, 11) and sys.implementation.name == "cpython" and sys.maxsize > 2**32
              and not sysconfig.get_config_var("Py_GIL_DISABLED")))' >/dev/null 2>&1
}

# The interpreter to use: $PYTHON if the caller names one, else the first on the PATH that fits. Prints nothing if none.
find_python() {
    if [ -n "${PYTHON:-}" ]; then
        python_fits "$PYTHON" || die "PYTHON=$PYTHON does not run, or is not a 64-bit CPython >= 3.11 with the GIL"
        command -v "$PYTHON"
        return
    fi
    local name
    for name in python3 python3.14 python3.13 python3.12 python3.11 python3.15 /usr/bin/python3; do
        if python_fits "$name"; then
            command -v "$name"
            return
        fi
    done
}

# A clang++, the oldest that we promise first. Prints nothing if there is none.
find_clang() {
    local name
    for name in clang++-14 clang++ clang++-15 clang++-16 clang++-17 clang++-18 clang++-19; do
        ! command -v "$name" || return 0
    done
}
