#!/usr/bin/env bash
# Sees to it that the machine has what PyPI cannot give: a compiler, Python with its headers, GoogleTest.
#
#   tools/bootstrap.sh [python] [gtest] [cereal] [benchmark] [doxygen]     (a C++ compiler always)
#
# Installs what is missing with apt-get where it may (as root); otherwise prints the exact line to run and stops.
# Quick and silent where nothing is missing.
set -eu
# shellcheck source=tools/common.sh
. "$(dirname "$0")/common.sh"

# Words of apt-get's command line for what is missing now.
missing_packages() {
    local need python minor
    printf '%s\n' "${CXX:-c++}" | grep -qx 'c++' && ! compiles '' && echo g++ libc6-dev
    for need in "$@"; do
        case $need in
            gtest)
                compiles '#include <gtest/gtest.h>' || echo libgtest-dev
                ;;
            cereal)
                compiles '#include <cereal/cereal.hpp>' || echo libcereal-dev
                ;;
            benchmark)
                compiles '#include <benchmark/benchmark.h>' || echo libbenchmark-dev
                compiles '#include <tbb/task_group.h>' || echo libtbb-dev
                compiles '#include <boost/filesystem.hpp>' || echo libboost-filesystem-dev
                ;;
            doxygen)
                command -v doxygen >/dev/null || echo doxygen
                ;;
            python)
                python=$(find_python)
                if [ -z "$python" ]; then
                    echo python3 python3-venv python3-dev
                    continue
                fi
                # Debian's Python comes in parts; one from elsewhere that lacks a part cannot be mended with apt-get.
                minor=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
                "$python" -c 'import venv, ensurepip' 2>/dev/null || part_of "$python" "$minor-venv"
                has_headers "$python" || part_of "$python" "$minor-dev"
                ;;
        esac
    done
}

part_of() {
    case $("$1" -c 'import sys; print(sys.base_prefix)') in
        /usr) echo "$2" ;;
        *) die "$1 is incomplete (Debian would call what is missing $2); name another with PYTHON=..." ;;
    esac
}

has_headers() {
    "$1" -c '
import os, sys, sysconfig
sys.exit(not os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")))'
}

compiles() {
    printf '%s\n#include <concepts>\nint main() {}\n' "$1" |
        "${CXX:-c++}" -std=c++20 -fsyntax-only -x c++ - >/dev/null 2>&1
}

packages=$(missing_packages "$@" | tr '\n' ' ')
if [ -n "${packages// /}" ]; then
    line="apt-get install -y --no-install-recommends $packages"
    if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
        die "this machine lacks: $packages
Run, as root:
    apt-get update && $line"
    fi
    say "$line"
    # A fresh machine has no lists of packages yet, or old ones.
    apt-get update -q
    # shellcheck disable=SC2086  # a list of words
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $packages </dev/null
    packages=$(missing_packages "$@" | tr '\n' ' ')
    [ -z "${packages// /}" ] || die "still missing after apt-get: $packages"
fi
if ! compiles ''; then
    die "${CXX:-c++} does not compile C++20; a newer compiler is needed (g++ 12 or clang 14 are known to do)"
fi
