#include "codec_debug.hpp"

#include <cstring>

namespace hardwork::py {
namespace {

constexpr Py_ssize_t kMaxArgs = 4096;

PyObject* taken(int outcome, const Writer& out) {
    if (outcome < 0) return nullptr;
    if (outcome == 0) Py_RETURN_NONE;
    return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(out.data()), static_cast<Py_ssize_t>(out.size()));
}

PyObject* encode(PyObject*, PyObject* value) {
    Writer out;
    return taken(encode_value(value, out), out);
}

PyObject* encode_all(PyObject*, PyObject* const* args, Py_ssize_t count) {
    Writer out;
    return taken(encode_args(args, count, out), out);
}

PyObject* left_over(const std::byte* cursor, const std::byte* end) {
    return PyErr_Format(PyExc_ValueError, "hardwork: %zd bytes left over", static_cast<Py_ssize_t>(end - cursor));
}

PyObject* decode(PyObject*, PyObject* data) {
    if (!PyBytes_Check(data)) return PyErr_Format(PyExc_TypeError, "bytes expected");
    const auto* cursor = reinterpret_cast<const std::byte*>(PyBytes_AS_STRING(data));
    const std::byte* end = cursor + PyBytes_GET_SIZE(data);
    PyObject* result = decode_value(cursor, end);
    if (result == nullptr || cursor == end) return result;
    Py_DECREF(result);
    return left_over(cursor, end);
}

PyObject* decode_all(PyObject*, PyObject* arguments) {
    const char* data = nullptr;
    Py_ssize_t size = 0;
    Py_ssize_t capacity = kMaxArgs;
    if (PyArg_ParseTuple(arguments, "y#|n", &data, &size, &capacity) == 0) return nullptr;
    if (capacity < 0 || capacity > kMaxArgs) return PyErr_Format(PyExc_ValueError, "capacity out of range");
    const auto* cursor = reinterpret_cast<const std::byte*>(data);
    const std::byte* end = cursor + size;
    auto** values = static_cast<PyObject**>(PyMem_Malloc(sizeof(PyObject*) * static_cast<std::size_t>(kMaxArgs)));
    if (values == nullptr) return PyErr_NoMemory();
    const Py_ssize_t count = decode_args(cursor, end, values, capacity);
    PyObject* result = count < 0 ? nullptr : PyTuple_New(count);
    for (Py_ssize_t i = 0; i < count; ++i) {
        if (result != nullptr) {
            PyTuple_SET_ITEM(result, i, values[i]);
        } else {
            Py_DECREF(values[i]);
        }
    }
    PyMem_Free(values);
    if (result == nullptr || cursor == end) return result;
    Py_DECREF(result);
    return left_over(cursor, end);
}

PyCFunction vectorcall_cast(PyObject* (*function)(PyObject*, PyObject* const*, Py_ssize_t)) {
    return reinterpret_cast<PyCFunction>(reinterpret_cast<void (*)()>(function));
}

}  // namespace

PyMethodDef codec_debug_methods[] = {
    {"_codec_encode", encode, METH_O, "The value's bytes, or None if it is left to pickle."},
    {"_codec_decode", decode, METH_O, "The value of what _codec_encode returned."},
    {"_codec_encode_args", vectorcall_cast(encode_all), METH_FASTCALL, "The bytes of a call's arguments, or None."},
    {"_codec_decode_args", decode_all, METH_VARARGS, "The arguments, as a tuple; optionally at most so many."},
    {nullptr, nullptr, 0, nullptr},
};

}  // namespace hardwork::py
