// One record of a lane's result ring: a header, then its bytes, padded to 8. The parent trusts none of it.
//
// Of a next_item the header ends before `index`: it is the item after the one of the record before, of the same span, and
// has a value in the ring. A map of short items is mostly those, and what travels is what costs.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/bits.hpp"
#include "shm/request.hpp"

namespace hardwork::shm {

enum class RecordKind : std::uint8_t {
    task = 1,         // a task's outcome
    item = 2,         // one item's outcome: `task` is the span's number, `index` the item
    ready = 3,        // the worker has been prepared and takes work
    init_failed = 4,  // preparation failed; the payload is the encoded exception
    next_item = 5,    // as above: a short header
};

struct Record {
    std::uint32_t length;  // of the payload in the ring; an Extent's size if in_arena
    RecordKind kind;
    std::uint8_t outcome;     // hardwork::Outcome
    std::uint8_t in_arena;    // 1: the payload is an Extent of the lane's result arena
    std::uint8_t generation;  // low bits of the lane's generation: a stray store is unlikely to match
    std::uint32_t index;
    std::uint32_t nanoseconds;  // how long it ran, saturated; 0: not measured
    std::uint64_t task;
};

static_assert(sizeof(Record) == 24 && std::is_trivially_copyable_v<Record>);

// A header as the words that it is stored by. Put together in registers: to write its fields one by one and read them again
// as a whole makes the processor wait until all of them have reached its cache, which costs more than the rest of a record.
struct RecordWords {
    std::uint64_t words[3];
};
constexpr RecordWords record_words(const Record& record) {
    return {{record.length | (std::uint64_t{static_cast<std::uint8_t>(record.kind)} << 32) |
                 (std::uint64_t{record.outcome} << 40) | (std::uint64_t{record.in_arena} << 48) |
                 (std::uint64_t{record.generation} << 56),
             record.index | (std::uint64_t{record.nanoseconds} << 32), record.task}};
}
namespace detail {
inline constexpr Record kSample{0x01020304, RecordKind::item, 5, 6, 7, 0x08090a0b, 0x0c0d0e0f, 0x1011121314151617};
static_assert(std::bit_cast<Record>(record_words(kSample)).length == kSample.length &&
                  std::bit_cast<Record>(record_words(kSample)).kind == kSample.kind &&
                  std::bit_cast<Record>(record_words(kSample)).outcome == kSample.outcome &&
                  std::bit_cast<Record>(record_words(kSample)).in_arena == kSample.in_arena &&
                  std::bit_cast<Record>(record_words(kSample)).generation == kSample.generation &&
                  std::bit_cast<Record>(record_words(kSample)).index == kSample.index &&
                  std::bit_cast<Record>(record_words(kSample)).nanoseconds == kSample.nanoseconds &&
                  std::bit_cast<Record>(record_words(kSample)).task == kSample.task,
              "the words are those of a little-endian machine");
}  // namespace detail

inline constexpr std::size_t kShortHeader = offsetof(Record, index);

constexpr std::size_t header_size(RecordKind kind) {
    return kind == RecordKind::next_item ? kShortHeader : sizeof(Record);
}
constexpr std::uint64_t record_size(RecordKind kind, std::uint32_t payload) {
    return header_size(kind) + align_up(payload, 8);
}

}  // namespace hardwork::shm
