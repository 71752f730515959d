// Python values as bytes without pickle: scalars, and small trees of plain containers of scalars. What it does not
// take (subclasses, instances, one container reachable twice) is left to pickle.
#pragma once

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <cstddef>

#include "writer.hpp"

namespace hardwork::py {

// All four want the GIL held. The format is between processes of one build on one machine: native byte order, no
// version.

// 1: encoded. 0: not of a kind this codec takes; the writer is as it was, no Python error is set.
// -1: out of memory; the writer is as it was, MemoryError is set.
int encode_value(PyObject* value, Writer& out);

// The positional arguments of one call, as one record: identity between arguments is kept as within one.
int encode_args(PyObject* const* args, Py_ssize_t count, Writer& out);

// Reads one value and moves the cursor behind it. Returns a new reference, or nullptr with a Python error: ValueError
// "hardwork: damaged record" for bytes that no encoder wrote.
PyObject* decode_value(const std::byte*& cursor, const std::byte* end);

// How many arguments decode_args would read there; -1 (and no Python error) for bytes that no encoder wrote.
Py_ssize_t args_count(const std::byte* cursor, const std::byte* end);

// Reads what encode_args wrote into `args`, as new references. Returns their number; -1 with a Python error (also if
// there are more than `capacity`), and then nothing in `args` is owned by the caller.
Py_ssize_t decode_args(const std::byte*& cursor, const std::byte* end, PyObject** args, Py_ssize_t capacity);

}  // namespace hardwork::py
