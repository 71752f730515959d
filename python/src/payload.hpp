// How calls and results lie in the engine's bytes. One byte says which form:
//
//   'C' codec          the codec's record of the arguments, or of the value
//   'P' pickle         header, pickle bytes, out-of-band buffers: (args, kwargs), with function 0 (fn, args, kwargs)
//   'R' range span     start and step: item i is one call of fn(start + i * step)
//   'I' item span      a table of offsets, then one 'C' or 'P' call an item
//   'N' 'F' number span  the one argument of each item, an int of 64 bits or a float
//   'X' nothing        an item that could not be encoded: skipped by the worker, the parent holds the error
#pragma once

#include "codec.hpp"
#include "hardwork/worker.hpp"
#include "state.hpp"

namespace hardwork::py {

inline constexpr std::byte kCodec{'C'};
inline constexpr std::byte kPickle{'P'};
inline constexpr std::byte kRange{'R'};
inline constexpr std::byte kItems{'I'};
inline constexpr std::byte kInts{'N'};
inline constexpr std::byte kFloats{'F'};
inline constexpr std::byte kNothing{'X'};

struct RangeSpan {
    std::byte form = kRange;
    std::byte pad[7] = {};
    std::int64_t start = 0;
    std::int64_t step = 0;

    // Modulo 2^64, since number * step need not fit; what comes out does.
    std::int64_t item(std::uint64_t number) const {
        return static_cast<std::int64_t>(static_cast<std::uint64_t>(start) + static_cast<std::uint64_t>(step) * number);
    }
};
static_assert(sizeof(RangeSpan) == 24);

// 'I': this, then count + 1 offsets in units of 8 bytes from the header's begin, then the calls, each padded to 8.
struct ItemSpan {
    std::byte form = kItems;
    std::byte pad[3] = {};
    std::uint32_t count = 0;
};
static_assert(sizeof(ItemSpan) == 8);

// 'N' and 'F': this, then 8 bytes an item.
struct NumberSpan {
    std::byte form = kInts;
    std::byte pad[7] = {};
};
static_assert(sizeof(NumberSpan) == 8);

// A result up to this lies in the task itself: nothing is freed by dropping it early.
inline constexpr std::size_t kSmallResult = 24;

// A pickle with its buffers, on its way into memory: gathered first, so that it is copied once.
class Pickled {
  public:
    ~Pickled() { release(); }
    // result_only: no cloudpickle (a result that cannot be pickled is the caller's to know). -1 with a Python error.
    int dump(PyObject* object, bool result_only);
    std::size_t size() const;
    void write(std::byte* to) const;

  private:
    void release();
    Ref data_;
    Py_buffer* buffers_ = nullptr;
    Py_ssize_t count_ = 0;
};

// 'P' bytes -> object. New reference or nullptr.
PyObject* load_pickled(std::span<const std::byte> bytes);
// 'C' or 'P' bytes of a value -> object.
PyObject* load_value(std::span<const std::byte> bytes);
// Encodes a call's arguments; -1 with a Python error. `fn` non-null: it travels in the call.
// Appends to `codec` when the codec takes it (returns 1), else fills `pickled` (returns 0).
int encode_call(PyObject* fn, PyObject* const* args, Py_ssize_t count, PyObject* kwnames, Writer& codec,
                Pickled& pickled);

}  // namespace hardwork::py
