// The state of one encoding. Scalars are encoded in line; they are nearly all of the work.
#pragma once

#include <cstdint>
#include <cstring>

#include "codec.hpp"
#include "codec_format.hpp"

namespace hardwork::py {

// What encode_value returns, and everything below it.
inline constexpr int kDone = 1;
inline constexpr int kForeign = 0;
inline constexpr int kFailed = -1;

// Containers that may be met again: enough for hand-made structures, few enough for a linear search.
inline constexpr unsigned kMaxShared = 16;

template <class T>
std::byte* put(std::byte* at, T value) {
    std::memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

inline std::byte* put_tag(std::byte* at, Tag tag) { return put(at, static_cast<std::uint8_t>(tag)); }

inline std::byte* put_data(std::byte* at, const void* data, std::size_t size) {
    std::memcpy(at, data, size);
    return at + size;
}

// Ints of one digit, read without a call: nearly all there are.
inline bool compact_int(PyObject* value, long long& result) {
    auto* number = reinterpret_cast<PyLongObject*>(value);
#if PY_VERSION_HEX >= 0x030C0000
    if (!PyUnstable_Long_IsCompact(number)) return false;
    result = PyUnstable_Long_CompactValue(number);
#else
    const Py_ssize_t size = Py_SIZE(value);
    if (size < -1 || size > 1) return false;
    result = size == 0 ? 0 : static_cast<long long>(size) * static_cast<long long>(number->ob_digit[0]);
#endif
    return true;
}

// Any int of 64 bits; false for one that has more.
inline bool int64_of(PyObject* value, long long& number) {
    if (compact_int(value, number)) return true;
    int overflow = 0;
    number = PyLong_AsLongLongAndOverflow(value, &overflow);
    return overflow == 0;
}

class Encoder {
  public:
    explicit Encoder(Writer& out) : out_(out) {}

    bool count(std::size_t number);
    // `depth`: how many containers are around the value. `only`: the number of references to it that would mean that
    // nothing but its one holder knows it; 0 where the holder's reference may be borrowed.
    int value(PyObject* value, int depth, Py_ssize_t only);

  private:
    int single(Tag tag);
    int number(Tag tag, const void* data, std::size_t size);
    int integer(PyObject* value);
    int big_integer(PyObject* value);
    int text(PyObject* value);
    int bytes(PyObject* value);
    int byte_array(PyObject* value);
    int long_text(PyObject* value, Tag tag, std::size_t length, const void* data, std::size_t width);
    unsigned slot_of(PyObject* value, std::size_t size);

    int container(PyObject* value, int depth, Py_ssize_t only);
    int list(PyObject* value, int depth);
    int tuple(PyObject* value, int depth);
    int dict(PyObject* value, int depth);
    int set(PyObject* value, Tag tag, int depth);
    bool header(Tag tag, Py_ssize_t size);
    bool first_visit(PyObject* value, Py_ssize_t only);

    void end_at(const std::byte* at) { out_.advance(static_cast<std::size_t>(at - (out_.data() + out_.size()))); }

    Writer& out_;
    unsigned shared_count_ = 0;
    unsigned huge_count_ = 0;
    unsigned recent_used_ = 0;      // one bit a slot, so that the table needs no clearing
    PyObject* shared_[kMaxShared];  // all of these are borrowed, and only compared
    PyObject* remembered_[kSlots];
};

inline int Encoder::single(Tag tag) {
    std::byte* at = out_.room(1);
    if (at == nullptr) return kFailed;
    put_tag(at, tag);
    out_.advance(1);
    return kDone;
}

inline int Encoder::number(Tag tag, const void* data, std::size_t size) {
    std::byte* at = out_.room(1 + size);
    if (at == nullptr) return kFailed;
    put_data(put_tag(at, tag), data, size);
    out_.advance(1 + size);
    return kDone;
}

inline bool Encoder::count(std::size_t number) {
    std::byte* at = out_.room(9);
    if (at == nullptr) return false;
    if (number < 255) {
        *at = static_cast<std::byte>(number);
        out_.advance(1);
    } else {
        *at = std::byte{255};
        put(at + 1, std::uint64_t{number});
        out_.advance(9);
    }
    return true;
}

inline int Encoder::integer(PyObject* value) {
    long long number = 0;
    if (!int64_of(value, number)) return big_integer(value);
    std::byte* at = out_.room(9);
    if (at == nullptr) return kFailed;
    if (number >= kSmallIntMin && number <= kSmallIntMax) {
        at = put(at, static_cast<std::uint8_t>(number + kSmallIntZero));
    } else if (number == static_cast<std::int8_t>(number)) {
        at = put(put_tag(at, Tag::int8), static_cast<std::int8_t>(number));
    } else if (number == static_cast<std::int16_t>(number)) {
        at = put(put_tag(at, Tag::int16), static_cast<std::int16_t>(number));
    } else if (number == static_cast<std::int32_t>(number)) {
        at = put(put_tag(at, Tag::int32), static_cast<std::int32_t>(number));
    } else {
        at = put(put_tag(at, Tag::int64), std::int64_t{number});
    }
    end_at(at);
    return kDone;
}

inline int Encoder::value(PyObject* value, int depth, Py_ssize_t only) {
    const PyTypeObject* type = Py_TYPE(value);
    if (type == &PyLong_Type) return integer(value);
    if (type == &PyFloat_Type) {
        const double real = PyFloat_AS_DOUBLE(value);
        return number(Tag::float64, &real, sizeof real);
    }
    if (type == &PyUnicode_Type) return text(value);
    if (value == Py_None) return single(Tag::none);
    if (value == Py_True) return single(Tag::yes);
    if (value == Py_False) return single(Tag::no);
    if (type == &PyBytes_Type) return bytes(value);
    return container(value, depth, only);
}

}  // namespace hardwork::py
