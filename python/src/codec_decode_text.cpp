// Decoding of what has a length of its own: strings, bytes, big ints.
#include <bit>

#include "codec_decoder.hpp"

namespace hardwork::py {

PyObject* Decoder::damaged() {
    PyErr_SetString(PyExc_ValueError, "hardwork: damaged record");
    return nullptr;
}

bool Decoder::length(std::size_t& result, bool is_long) {
    if (is_long) return take(result) && result <= left();
    std::uint8_t small = 0;
    if (!take(small)) return false;
    result = small;
    return result <= left();
}

bool Decoder::remember(unsigned slot, PyObject* object) {
    if (slot >= kSlots) return false;
    const unsigned bit = 1U << slot;
    PyObject* previous = (used_ & bit) != 0 ? slots_[slot] : nullptr;
    used_ |= bit;
    slots_[slot] = Py_NewRef(object);
    Py_XDECREF(previous);
    return true;
}

PyObject* Decoder::remembered() {
    std::uint8_t slot = 0;
    if (!take(slot) || slot >= kSlots || (used_ & (1U << slot)) == 0) return damaged();
    return Py_NewRef(slots_[slot]);
}

void Decoder::forget() {
    for (; used_ != 0; used_ &= used_ - 1)
        Py_DECREF(slots_[std::countr_zero(used_)]);
}

PyObject* Decoder::big_integer() {
    std::size_t size = 0;
    if (!length(size, true) || size == 0) return damaged();
    const auto* data = reinterpret_cast<const unsigned char*>(at_);
    at_ += size;
#if PY_VERSION_HEX >= 0x030D0000
    return PyLong_FromNativeBytes(data, size, Py_ASNATIVEBYTES_NATIVE_ENDIAN);
#else
    return _PyLong_FromByteArray(data, size, std::endian::native == std::endian::little ? 1 : 0, 1);
#endif
}

namespace {

bool all_ascii(const std::byte* data, std::size_t size) {
    std::uint64_t seen = 0;
    std::size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, data + i, 8);
        seen |= word;
    }
    for (; i < size; ++i)
        seen |= std::to_integer<std::uint64_t>(data[i]);
    return (seen & 0x8080808080808080U) == 0;
}

}  // namespace

PyObject* Decoder::ascii_text(std::size_t length) {
    if (length > left() || !all_ascii(at_, length)) return damaged();
    const std::byte* data = at_;
    at_ += length;
    // CPython has one object for each of these; a second one is legal, but the first is there already.
    if (length == 1) return PyUnicode_FromOrdinal(std::to_integer<int>(*data));
    PyObject* result = PyUnicode_New(static_cast<Py_ssize_t>(length), 127);
    if (result != nullptr && length != 0) std::memcpy(PyUnicode_1BYTE_DATA(result), data, length);
    return result;
}

PyObject* Decoder::wide_text(std::size_t length, std::size_t width) {
    if ((width != 1 && width != 2 && width != 4) || length > left() / width) return damaged();
    const std::byte* data = at_;
    at_ += length * width;
    const auto size = static_cast<Py_ssize_t>(length);
    const int kind = static_cast<int>(width);
    PyObject* result = nullptr;
    if (reinterpret_cast<std::uintptr_t>(data) % width == 0) {
        result = PyUnicode_FromKindAndData(kind, data, size);
    } else {  // it reads whole characters
        void* aligned = PyMem_Malloc(length * width + 1);
        if (aligned == nullptr) return PyErr_NoMemory();
        std::memcpy(aligned, data, length * width);
        result = PyUnicode_FromKindAndData(kind, aligned, size);
        PyMem_Free(aligned);
    }
    // SystemError: characters beyond the last one there is.
    if (result == nullptr && PyErr_ExceptionMatches(PyExc_MemoryError) == 0) {
        PyErr_Clear();
        return damaged();
    }
    return result;
}

PyObject* Decoder::text(bool ascii, bool is_long) {
    std::uint8_t slot = 0;
    std::uint8_t width = 1;
    std::size_t size = 0;
    if (is_long && !take(slot)) return damaged();
    if (!ascii && !take(width)) return damaged();
    if (!length(size, is_long)) return damaged();
    PyObject* result = ascii ? ascii_text(size) : wide_text(size, width);
    if (is_long && result != nullptr && !remember(slot, result)) {
        Py_DECREF(result);
        return damaged();
    }
    return result;
}

PyObject* Decoder::bytes(bool is_long) {
    std::uint8_t slot = 0;
    std::size_t size = 0;
    if (is_long && !take(slot)) return damaged();
    if (!length(size, is_long)) return damaged();
    const auto* data = reinterpret_cast<const char*>(at_);
    at_ += size;
    PyObject* result = PyBytes_FromStringAndSize(data, static_cast<Py_ssize_t>(size));
    if (is_long && result != nullptr && !remember(slot, result)) {
        Py_DECREF(result);
        return damaged();
    }
    return result;
}

PyObject* Decoder::byte_array() {
    std::size_t size = 0;
    if (!length(size, true)) return damaged();
    const auto* data = reinterpret_cast<const char*>(at_);
    at_ += size;
    return PyByteArray_FromStringAndSize(data, static_cast<Py_ssize_t>(size));
}

}  // namespace hardwork::py
