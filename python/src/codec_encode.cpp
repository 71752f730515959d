// Encoding of containers, and the entry points.
#include "codec_encoder.hpp"

namespace hardwork::py {

// False: the value has been met already, or cannot be told from one met already.
bool Encoder::first_visit(PyObject* value, Py_ssize_t only) {
    // If its holder's reference is the only one there is, nobody else in this record can refer to it.
    if (Py_REFCNT(value) == only) return true;
    for (unsigned i = 0; i < shared_count_; ++i) {
        if (shared_[i] == value) return false;
    }
    if (shared_count_ == kMaxShared) return false;
    shared_[shared_count_++] = value;
    return true;
}

bool Encoder::header(Tag tag, Py_ssize_t size) { return single(tag) == kDone && count(static_cast<std::size_t>(size)); }

int Encoder::container(PyObject* value, int depth, Py_ssize_t only) {
    const PyTypeObject* type = Py_TYPE(value);
    if (type == &PyComplex_Type) {
        const Py_complex both = PyComplex_AsCComplex(value);
        return number(Tag::complex128, &both, sizeof both);
    }
    if (type == &PyTuple_Type) {
        if (PyTuple_GET_SIZE(value) == 0) return header(Tag::tuple, 0);  // there is only one empty tuple
    } else if (type != &PyList_Type && type != &PyDict_Type && type != &PySet_Type && type != &PyFrozenSet_Type &&
               type != &PyByteArray_Type) {
        return kForeign;
    }
    if (depth >= kMaxDepth || !first_visit(value, only)) return kForeign;
    if (type == &PyByteArray_Type) return byte_array(value);

    // No user code runs in here, but for one thing: up to CPython 3.11 making a set's iterator may run the garbage
    // collector, and that finalizers. So whatever is being walked is held.
    Py_INCREF(value);
    int outcome = kForeign;
    if (type == &PyList_Type) {
        outcome = list(value, depth + 1);
    } else if (type == &PyTuple_Type) {
        outcome = tuple(value, depth + 1);
    } else if (type == &PyDict_Type) {
        outcome = dict(value, depth + 1);
    } else {
        outcome = set(value, type == &PySet_Type ? Tag::set : Tag::frozenset, depth + 1);
    }
    Py_DECREF(value);
    return outcome;
}

int Encoder::list(PyObject* list, int depth) {
    const Py_ssize_t size = PyList_GET_SIZE(list);
    if (!header(Tag::list, size)) return kFailed;
    for (Py_ssize_t i = 0; i < size; ++i) {
        if (i >= PyList_GET_SIZE(list)) return kForeign;  // a finalizer took items away
        const int outcome = value(PyList_GET_ITEM(list, i), depth, 1);
        if (outcome != kDone) return outcome;
    }
    return kDone;
}

int Encoder::tuple(PyObject* tuple, int depth) {
    const Py_ssize_t size = PyTuple_GET_SIZE(tuple);
    if (!header(Tag::tuple, size)) return kFailed;
    for (Py_ssize_t i = 0; i < size; ++i) {
        PyObject* item = PyTuple_GET_ITEM(tuple, i);
        if (item == nullptr) return kForeign;  // being built by C code that called us
        const int outcome = value(item, depth, 1);
        if (outcome != kDone) return outcome;
    }
    return kDone;
}

int Encoder::dict(PyObject* dict, int depth) {
    const Py_ssize_t size = PyDict_GET_SIZE(dict);
    if (!header(Tag::dict, size)) return kFailed;
    Py_ssize_t position = 0;
    Py_ssize_t seen = 0;
    PyObject* key = nullptr;
    PyObject* item = nullptr;
    while (PyDict_Next(dict, &position, &key, &item) != 0) {
        if (++seen > size) return kForeign;
        // Encoding the key may run a finalizer (see above), and that may remove the item.
        Py_INCREF(item);
        int outcome = value(key, depth, 1);
        if (outcome == kDone) outcome = value(item, depth, 2);
        Py_DECREF(item);
        if (outcome != kDone) return outcome;
    }
    return seen == size ? kDone : kForeign;
}

int Encoder::set(PyObject* set, Tag tag, int depth) {
    const Py_ssize_t size = PySet_GET_SIZE(set);
    if (!header(tag, size)) return kFailed;
    PyObject* iterator = PyObject_GetIter(set);
    if (iterator == nullptr) return kFailed;
    Py_ssize_t seen = 0;
    int outcome = kDone;
    while (PyObject* item = PyIter_Next(iterator)) {
        // Two references: the set's and the iterator's gift.
        outcome = ++seen > size ? kForeign : value(item, depth, 2);
        Py_DECREF(item);
        if (outcome != kDone) break;
    }
    Py_DECREF(iterator);
    if (PyErr_Occurred() != nullptr) {  // "Set changed size during iteration"
        if (PyErr_ExceptionMatches(PyExc_MemoryError) != 0) return kFailed;
        PyErr_Clear();
        return kForeign;
    }
    if (outcome == kDone && seen != size) return kForeign;
    return outcome;
}

namespace {

int settle(int outcome, Writer& out, std::size_t start) {
    if (outcome == kDone) return outcome;
    out.truncate(start);
    if (outcome == kFailed && PyErr_Occurred() == nullptr) PyErr_NoMemory();
    return outcome;
}

}  // namespace

int encode_value(PyObject* value, Writer& out) {
    const std::size_t start = out.size();
    Encoder encoder(out);
    return settle(encoder.value(value, 0, 0), out, start);
}

int encode_args(PyObject* const* args, Py_ssize_t count, Writer& out) {
    const std::size_t start = out.size();
    Encoder encoder(out);
    int outcome = encoder.count(static_cast<std::size_t>(count)) ? kDone : kFailed;
    // A caller's arguments may be borrowed from its variables, one variable twice: a count of one means nothing here.
    for (Py_ssize_t i = 0; i < count && outcome == kDone; ++i)
        outcome = encoder.value(args[i], 0, 0);
    return settle(outcome, out, start);
}

}  // namespace hardwork::py
