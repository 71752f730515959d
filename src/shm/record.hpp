// One record of a lane's result ring: a header, then its bytes, padded to 8. The parent trusts none of it.
//
// Of a next_item the header ends before `index`: it is the item after the one of the record before, of the same span, and
// has a value in the ring. A map of short items is mostly those, and what travels is what costs.
#pragma once

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

inline constexpr std::size_t kShortHeader = offsetof(Record, index);

constexpr std::size_t header_size(RecordKind kind) {
    return kind == RecordKind::next_item ? kShortHeader : sizeof(Record);
}
constexpr std::uint64_t record_size(RecordKind kind, std::uint32_t payload) {
    return header_size(kind) + align_up(payload, 8);
}

}  // namespace hardwork::shm
