// Encoding of what has a length of its own: strings, bytes, big ints.
#include <bit>

#include "codec_encoder.hpp"

namespace hardwork::py {

int Encoder::big_integer(PyObject* value) {
#if PY_VERSION_HEX >= 0x030D0000
    const Py_ssize_t needed = PyLong_AsNativeBytes(value, nullptr, 0, Py_ASNATIVEBYTES_NATIVE_ENDIAN);
    if (needed < 0) return kFailed;
    const auto size = static_cast<std::size_t>(needed);
#else
    const std::size_t size = _PyLong_NumBits(value) / 8 + 1;  // cannot fail: the number exists, its bits fit
#endif
    std::byte* at = out_.room(9 + size);
    if (at == nullptr) return kFailed;
    at = put(put_tag(at, Tag::big_int), std::uint64_t{size});
#if PY_VERSION_HEX >= 0x030D0000
    if (PyLong_AsNativeBytes(value, at, needed, Py_ASNATIVEBYTES_NATIVE_ENDIAN) < 0) return kFailed;
#else
    constexpr int little = std::endian::native == std::endian::little ? 1 : 0;
    if (_PyLong_AsByteArray(reinterpret_cast<PyLongObject*>(value), reinterpret_cast<unsigned char*>(at), size, little,
                            1) < 0) {
        return kFailed;
    }
#endif
    end_at(at + size);
    return kDone;
}

// The slot under which the decoder will remember the object; kSlots: none is left. The caller sees from
// remembered_[slot] whether the object is there already, and puts it there if not.
unsigned Encoder::slot_of(PyObject* value, std::size_t size) {
    if (size < static_cast<std::size_t>(kHuge)) {
        const auto address = reinterpret_cast<std::uintptr_t>(value);
        const auto slot = static_cast<unsigned>(((address >> 4) ^ (address >> 8)) % kRecentSlots);
        const unsigned bit = 1U << slot;
        if ((recent_used_ & bit) == 0) remembered_[slot] = nullptr;
        recent_used_ |= bit;
        return slot;
    }
    for (unsigned slot = kRecentSlots; slot < kRecentSlots + huge_count_; ++slot) {
        if (remembered_[slot] == value) return slot;
    }
    if (huge_count_ == kHugeSlots) return kSlots;
    remembered_[kRecentSlots + huge_count_] = nullptr;
    return kRecentSlots + huge_count_++;
}

// Width 0: ASCII or bytes, which have none on the wire.
int Encoder::long_text(PyObject* value, Tag tag, std::size_t length, const void* data, std::size_t width) {
    const std::size_t size = width == 0 ? length : length * width;
    const unsigned slot = slot_of(value, size);
    if (slot == kSlots) return kForeign;
    const auto slot_byte = static_cast<std::uint8_t>(slot);
    if (remembered_[slot] == value) return number(Tag::ref, &slot_byte, 1);
    remembered_[slot] = value;
    std::byte* at = out_.room(11 + size);
    if (at == nullptr) return kFailed;
    at = put(put_tag(at, tag), slot_byte);
    if (width != 0) at = put(at, static_cast<std::uint8_t>(width));
    end_at(put_data(put(at, std::uint64_t{length}), data, size));
    return kDone;
}

int Encoder::text(PyObject* value) {
#if PY_VERSION_HEX < 0x030C0000
    if (!PyUnicode_IS_READY(value)) return kForeign;  // made by an old C API; preparing it may fail
#endif
    const auto length = static_cast<std::size_t>(PyUnicode_GET_LENGTH(value));
    const void* data = PyUnicode_DATA(value);
    const bool ascii = PyUnicode_IS_ASCII(value);
    const std::size_t width = ascii ? 0 : static_cast<std::size_t>(PyUnicode_KIND(value));
    if (length >= static_cast<std::size_t>(kLong)) {
        return long_text(value, ascii ? Tag::ascii_long : Tag::text_long, length, data, width);
    }
    std::byte* at = out_.room(3 + 4 * static_cast<std::size_t>(kLong));
    if (at == nullptr) return kFailed;
    at = put_tag(at, ascii ? Tag::ascii : Tag::text);
    if (!ascii) at = put(at, static_cast<std::uint8_t>(width));
    at = put(at, static_cast<std::uint8_t>(length));
    end_at(put_data(at, data, ascii ? length : length * width));
    return kDone;
}

int Encoder::bytes(PyObject* value) {
    const auto size = static_cast<std::size_t>(PyBytes_GET_SIZE(value));
    const char* data = PyBytes_AS_STRING(value);
    if (size >= static_cast<std::size_t>(kLong)) return long_text(value, Tag::bytes_long, size, data, 0);
    std::byte* at = out_.room(2 + static_cast<std::size_t>(kLong));
    if (at == nullptr) return kFailed;
    end_at(put_data(put(put_tag(at, Tag::bytes), static_cast<std::uint8_t>(size)), data, size));
    return kDone;
}

int Encoder::byte_array(PyObject* value) {
    const auto size = static_cast<std::size_t>(PyByteArray_GET_SIZE(value));
    std::byte* at = out_.room(9 + size);
    if (at == nullptr) return kFailed;
    end_at(put_data(put(put_tag(at, Tag::bytearray), std::uint64_t{size}), PyByteArray_AS_STRING(value), size));
    return kDone;
}

}  // namespace hardwork::py
