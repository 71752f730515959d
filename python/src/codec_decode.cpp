// Decoding of containers, and the entry points.
#include "codec_decoder.hpp"

namespace hardwork::py {

PyObject* Decoder::tagged(Tag tag, int depth) {
    switch (tag) {
        case Tag::none: return Py_NewRef(Py_None);
        case Tag::yes: return Py_NewRef(Py_True);
        case Tag::no: return Py_NewRef(Py_False);
        case Tag::int8: return integer<std::int8_t>();
        case Tag::int16: return integer<std::int16_t>();
        case Tag::int32: return integer<std::int32_t>();
        case Tag::int64: return integer<std::int64_t>();
        case Tag::big_int: return big_integer();
        case Tag::float64: {
            double real = 0;
            return take(real) ? PyFloat_FromDouble(real) : damaged();
        }
        case Tag::complex128: {
            Py_complex both{};
            return take(both) ? PyComplex_FromCComplex(both) : damaged();
        }
        case Tag::ascii: return text(true, false);
        case Tag::ascii_long: return text(true, true);
        case Tag::text: return text(false, false);
        case Tag::text_long: return text(false, true);
        case Tag::bytes: return bytes(false);
        case Tag::bytes_long: return bytes(true);
        case Tag::bytearray: return byte_array();
        case Tag::ref: return remembered();
        case Tag::list:
        case Tag::tuple:
        case Tag::dict:
        case Tag::set:
        case Tag::frozenset: return container(tag, depth);
    }
    return damaged();
}

PyObject* Decoder::container(Tag tag, int depth) {
    std::size_t number = 0;
    // An item has at least one byte, so this also bounds what damaged bytes can make us allocate.
    if (!count(number) || number > left()) return damaged();
    if (depth >= kMaxDepth && !(tag == Tag::tuple && number == 0)) return damaged();
    const auto size = static_cast<Py_ssize_t>(number);
    switch (tag) {
        case Tag::list: return list(size, depth + 1);
        case Tag::tuple: return tuple(size, depth + 1);
        case Tag::dict: return dict(size, depth + 1);
        case Tag::set: return set(PySet_New(nullptr), size, depth + 1);
        default: return set(PyFrozenSet_New(nullptr), size, depth + 1);
    }
}

PyObject* Decoder::list(Py_ssize_t size, int depth) {
    PyObject* list = PyList_New(size);
    if (list == nullptr) return nullptr;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = value(depth);
        if (item == nullptr) {
            Py_DECREF(list);
            return nullptr;
        }
        PyList_SET_ITEM(list, i, item);
    }
    return list;
}

PyObject* Decoder::tuple(Py_ssize_t size, int depth) {
    PyObject* tuple = PyTuple_New(size);
    if (tuple == nullptr || size == 0) return tuple;
    bool tracked = false;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = value(depth);
        if (item == nullptr) {
            Py_DECREF(tuple);
            return nullptr;
        }
        // A dict may be untracked now and not later, so it counts as tracked.
        if (PyObject_IS_GC(item) && (!PyTuple_CheckExact(item) || PyObject_GC_IsTracked(item) != 0)) tracked = true;
        PyTuple_SET_ITEM(tuple, i, item);
    }
    if (!tracked) PyObject_GC_UnTrack(tuple);  // as the collector would do when it comes by
    return tuple;
}

// Errors while hashing or inserting: only bytes that no encoder wrote make a list a key.
static void blame_bytes() {
    if (PyErr_ExceptionMatches(PyExc_TypeError) != 0) {
        PyErr_Clear();
        Decoder::damaged();
    }
}

PyObject* Decoder::dict(Py_ssize_t size, int depth) {
    PyObject* dict = PyDict_New();
    if (dict == nullptr) return nullptr;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* key = value(depth);
        PyObject* item = key == nullptr ? nullptr : value(depth);
        bool good = false;
        if (item != nullptr) {
            good = PyDict_SetItem(dict, key, item) == 0;
            if (!good) blame_bytes();
        }
        Py_XDECREF(key);
        Py_XDECREF(item);
        if (!good) {
            Py_DECREF(dict);
            return nullptr;
        }
    }
    if (PyDict_GET_SIZE(dict) == size) return dict;
    Py_DECREF(dict);
    return damaged();
}

PyObject* Decoder::set(PyObject* set, Py_ssize_t size, int depth) {
    if (set == nullptr) return nullptr;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = value(depth);
        bool good = false;
        if (item != nullptr) {
            good = PySet_Add(set, item) == 0;  // also right for a frozenset that nobody else has seen
            if (!good) blame_bytes();
            Py_DECREF(item);
        }
        if (!good) {
            Py_DECREF(set);
            return nullptr;
        }
    }
    if (PySet_GET_SIZE(set) == size) return set;
    Py_DECREF(set);
    return damaged();
}

PyObject* decode_value(const std::byte*& cursor, const std::byte* end) {
    Decoder decoder(cursor, end);
    PyObject* result = decoder.value(0);
    cursor = decoder.at();
    return result;
}

Py_ssize_t args_count(const std::byte* cursor, const std::byte* end) {
    Decoder decoder(cursor, end);
    std::size_t number = 0;
    // Each argument has at least one byte: a larger number is made up, and must not size anything.
    if (!decoder.count(number) || number > static_cast<std::size_t>(end - cursor)) return -1;
    return static_cast<Py_ssize_t>(number);
}

Py_ssize_t decode_args(const std::byte*& cursor, const std::byte* end, PyObject** args, Py_ssize_t capacity) {
    Decoder decoder(cursor, end);
    std::size_t number = 0;
    if (!decoder.count(number) || number > static_cast<std::size_t>(capacity)) {
        Decoder::damaged();
        return -1;
    }
    const auto count = static_cast<Py_ssize_t>(number);
    for (Py_ssize_t i = 0; i < count; ++i) {
        args[i] = decoder.value(0);
        if (args[i] == nullptr) {
            while (i > 0)
                Py_DECREF(args[--i]);
            return -1;
        }
    }
    cursor = decoder.at();
    return count;
}

}  // namespace hardwork::py
