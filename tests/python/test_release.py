"""What must not be in the extension that people install; tests/install/check.cmake looks into the C++ library."""

import struct

from hardwork import _engine


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
