// The state of one decoding. The bytes may be anything: every length is checked against the end before use.
#pragma once

#include <cstdint>
#include <cstring>

#include "codec.hpp"
#include "codec_format.hpp"

namespace hardwork::py {

class Decoder {
  public:
    Decoder(const std::byte* at, const std::byte* end) : at_(at), end_(end) {}
    Decoder(const Decoder&) = delete;
    Decoder& operator=(const Decoder&) = delete;
    ~Decoder() {
        if (used_ != 0) forget();
    }

    const std::byte* at() const { return at_; }
    bool count(std::size_t& number);
    // A new reference, or nullptr with an error. `depth`: how many containers are around the value.
    PyObject* value(int depth);

    static PyObject* damaged();

  private:
    std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }

    template <class T>
    bool take(T& result) {
        if (left() < sizeof(T)) return false;
        std::memcpy(&result, at_, sizeof(T));
        at_ += sizeof(T);
        return true;
    }

    template <class T>
    PyObject* integer() {
        T number{};
        return take(number) ? PyLong_FromLongLong(number) : damaged();
    }

    bool length(std::size_t& result, bool is_long);
    PyObject* tagged(Tag tag, int depth);
    PyObject* big_integer();
    PyObject* text(bool ascii, bool is_long);
    PyObject* ascii_text(std::size_t length);
    PyObject* wide_text(std::size_t length, std::size_t width);
    PyObject* bytes(bool is_long);
    PyObject* byte_array();
    PyObject* remembered();
    bool remember(unsigned slot, PyObject* object);
    void forget();

    PyObject* container(Tag tag, int depth);
    PyObject* list(Py_ssize_t size, int depth);
    PyObject* tuple(Py_ssize_t size, int depth);
    PyObject* dict(Py_ssize_t size, int depth);
    PyObject* set(PyObject* set, Py_ssize_t size, int depth);

    const std::byte* at_;
    const std::byte* end_;
    unsigned used_ = 0;        // one bit a slot
    PyObject* slots_[kSlots];  // owned where the bit is set: damaged bytes could drop an object that they refer to
};

inline PyObject* Decoder::value(int depth) {
    std::uint8_t first = 0;
    if (!take(first)) return damaged();
    if (first >= kFirstSmallInt) return PyLong_FromLong(static_cast<long>(first) - kSmallIntZero);
    return tagged(static_cast<Tag>(first), depth);
}

inline bool Decoder::count(std::size_t& number) {
    std::uint8_t first = 0;
    if (!take(first)) return false;
    number = first;
    return first < 255 || take(number);
}

}  // namespace hardwork::py
