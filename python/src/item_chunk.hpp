// Items of a map on their way to the workers: their bytes one behind the other, each padded to 8. As long as each is one
// int, or each one float, only the numbers: that is a fifth of the work at this end, where the whole map passes through.
#pragma once

#include <vector>

#include "payload.hpp"
#include "state.hpp"

namespace hardwork::py {

class ItemChunk {
  public:
    // Workers begin while the parent still encodes the rest: the first chunk is there soon, and none is done with
    // before the next one, twice as large, has come. 1 MB is some milliseconds of encoding.
    static constexpr std::size_t kFirst = std::size_t{1} << 13;
    static constexpr std::size_t kMost = std::size_t{1} << 20;

    enum class Added { yes, refused, failed };
    // One call. refused: it cannot be encoded; a Python error says why, and the chunk holds an item that the worker
    // skips. failed: nothing was added; no memory, or something that is not an Exception, is set.
    Added add(PyObject* fn, PyObject* const* args, Py_ssize_t count);
    // An item that the worker skips. False with MemoryError.
    bool add_nothing();

    bool full() const { return bytes_.size() >= full_at_; }
    // The same, but only behind a whole number of rows; 0: rows do not matter.
    bool full_for(std::uint32_t row) const { return full() && even(row); }
    // Whether nothing is there but whole rows.
    bool even(std::uint32_t row) const { return row == 0 || items() % row == 0; }
    bool empty() const { return items() == 0; }
    std::size_t size() const { return bytes_.size(); }
    // What is there is for nobody any more.
    void clear();
    // Gives it to the engine and begins a new one. False with MemoryError.
    bool send(Engine& engine, Job* job);

  private:
    std::size_t items() const { return form_ == kItems ? offsets_.size() : bytes_.size() / sizeof(std::uint64_t); }
    // False if it cannot go with those that are there.
    bool add_number(PyObject* value);
    // From numbers to calls, as something else follows. False with MemoryError.
    bool spell_out();
    Added add_call(PyObject* fn, PyObject* const* args, Py_ssize_t count);
    bool end_item();
    // Back to what was there before an item for which there is no memory. Returns false, with MemoryError.
    bool refuse(std::size_t items, std::size_t bytes);

    std::byte form_ = kItems;             // of what is there: kItems, kInts, kFloats
    std::vector<std::uint64_t> offsets_;  // of calls; in units of 8 bytes, from the end of the table
    Writer bytes_;
    std::size_t full_at_ = kFirst;
};

}  // namespace hardwork::py
