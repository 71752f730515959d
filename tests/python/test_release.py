"""What must not be in the extension that people install; tests/install/check.cmake looks into the C++ library."""

import importlib.metadata
import re
import struct
import subprocess
from pathlib import Path

import hardwork
import pytest
from hardwork import _engine

ROOT = Path(__file__).parents[2]
HEADER = ROOT / "include" / "hardwork" / "version.hpp"


def section(path, wanted):
    """The bytes of a section of an ELF file of 64 bits (elf(5))."""
    with open(path, "rb") as file:
        data = file.read()
    assert data[:5] == b"\x7fELF\x02"
    (start,) = struct.unpack_from("<Q", data, 40)
    size, count, names = struct.unpack_from("<HHH", data, 58)
    headers = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    for name, _, _, _, offset, length in headers:
        at = headers[names][4] + name
        if data[at : data.index(b"\0", at)] == wanted:
            return data[offset : offset + length]
    raise AssertionError(f"{path} has no section {wanted}")


def test_it_has_no_fault_points():
    # Each point keeps the name of its source file; nothing else in these layers does.
    constants = section(_engine.__file__, b".rodata")
    assert b"hardwork" in constants
    for name in (b"claim_loop.cpp", b"publisher.cpp", b"dispatch.cpp", b"atomic.hpp", b"worker.hpp"):
        assert name not in constants


def version_of_the_header():
    if not HEADER.exists():
        pytest.skip("the sources are not there: not a checkout")
    numbers = dict(re.findall(r"#define HARDWORK_VERSION_(\w+) (\d+)", HEADER.read_text()))
    return "{MAJOR}.{MINOR}.{PATCH}".format(**numbers)


def test_the_version_is_that_of_the_cpp_header():
    version = version_of_the_header()
    assert hardwork.__version__ == version
    assert importlib.metadata.version("hardwork") == version


def test_the_version_is_that_of_the_cpp_builds():
    """Of those that there are: CMake's, pkg-config's and the command's. (tests/install asks an installed one.)"""
    version = version_of_the_header()
    caches = [
        cache for cache in (ROOT / "build").glob("*/CMakeCache.txt") if cache.stat().st_mtime > HEADER.stat().st_mtime
    ]
    if not caches:
        pytest.skip("no C++ build is there")
    for cache in caches:
        found = re.search(r"^CMAKE_PROJECT_VERSION:STATIC=(.*)$", cache.read_text(), re.MULTILINE)
        assert found is not None
        assert found[1] == version, cache
        package = cache.parent / "hardwork.pc"
        if package.exists():
            assert f"\nVersion: {version}\n" in package.read_text()
        command = cache.parent / "hardwork"
        if command.is_file() and command.stat().st_mtime > HEADER.stat().st_mtime:
            said = subprocess.run([command, "--version"], capture_output=True, text=True, check=True).stdout
            assert said == f"hardwork {version}\n"
