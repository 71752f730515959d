// The binding's decoder on any bytes: a value, or a ValueError that says that the record is damaged.
#include "codec.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>

namespace {

using hardwork::py::decode_args;
using hardwork::py::decode_value;

void expect_refusal() {
    if (PyErr_ExceptionMatches(PyExc_ValueError) == 0 && PyErr_ExceptionMatches(PyExc_MemoryError) == 0) {
        PyErr_Print();
        std::fprintf(stderr, "another error than that of a damaged record\n");
        std::abort();
    }
    PyErr_Clear();
}

void decode_one(const std::byte* at, const std::byte* end) {
    PyObject* value = decode_value(at, end);
    if (value == nullptr) return expect_refusal();
    // Looks at all of it.
    PyObject* text = PyObject_Repr(value);
    if (text == nullptr) PyErr_Clear();
    Py_XDECREF(text);
    Py_DECREF(value);
}

void decode_call(const std::byte* at, const std::byte* end) {
    PyObject* values[16];
    const Py_ssize_t count = decode_args(at, end, values, 16);
    if (count < 0) return expect_refusal();
    for (Py_ssize_t i = 0; i < count; ++i)
        Py_DECREF(values[i]);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    Py_InitializeEx(0);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    // Exactly as long as it is, so that who reads behind it is seen.
    const auto copy = std::make_unique<std::byte[]>(size - 1);
    for (std::size_t i = 1; i < size; ++i)
        copy[i - 1] = static_cast<std::byte>(data[i]);
    (data[0] & 1) != 0 ? decode_one(copy.get(), copy.get() + size - 1) : decode_call(copy.get(), copy.get() + size - 1);
    return 0;
}
