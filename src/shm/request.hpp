// One descriptor of a lane's request ring, and the claim word that decides who has its work.
//
// claim of a task:      open --worker--> claimed        claim of a span: {next, end}; the worker adds one to next for
//                       open --parent--> taken back      each item it starts, the parent lowers end to take the tail
//
// Both are one compare-and-swap on one word, so worker and parent can never both have the same work.
#pragma once

#include <cstdint>
#include <type_traits>

#include "base/atomic.hpp"
#include "base/bits.hpp"

namespace hardwork::shm {

enum class RequestKind : std::uint8_t {
    task = 1,     // one call
    span = 2,     // items [next, end) of a map
    define = 3,   // a function's code, before the first request that uses it
    release = 4,  // the parent has read a large result: its extent in the result arena is free
    stop = 5,     // end when this is reached
};

inline constexpr std::uint64_t kOpen = 0;
inline constexpr std::uint64_t kClaimed = 1;
inline constexpr std::uint64_t kTaken = 2;

inline constexpr std::size_t kInlineRequest = 32;

// Where bytes lie in an arena.
struct Extent {
    std::uint64_t offset;
    std::uint64_t length;
};

struct alignas(kCacheLine) Request {
    // Written by both, only by compare-and-swap. A dead worker's open task, or items from next on, were never started.
    Atomic<std::uint64_t> claim;
    // The rest is written by the parent before it publishes the ring's tail; a worker reads it. The parent never reads
    // it back: what it needs to know stands in its own ledger.
    std::uint64_t task;
    std::uint32_t function;
    RequestKind kind;
    bool in_arena;                // payload is at `extent` of the input arena, else inline
    std::uint16_t inline_length;  // bytes used of `bytes`
    union {
        std::byte bytes[kInlineRequest];
        Extent extent;
    };
    bool timed;  // it has a time limit: the worker says when it begins
};

static_assert(sizeof(Request) == kCacheLine, "one descriptor, one cache line: two would share a claim's line");
static_assert(std::is_standard_layout_v<Request>);

constexpr std::uint64_t pack_cursor(std::uint32_t next, std::uint32_t end) { return (std::uint64_t{end} << 32) | next; }
constexpr std::uint32_t cursor_next(std::uint64_t cursor) { return static_cast<std::uint32_t>(cursor); }
constexpr std::uint32_t cursor_end(std::uint64_t cursor) { return static_cast<std::uint32_t>(cursor >> 32); }

inline bool claim_task(Atomic<std::uint64_t>& claim, std::uint64_t to) {
    std::uint64_t expected = kOpen;
    return claim.compare_exchange_strong(expected, to, std::memory_order_acq_rel, std::memory_order_acquire);
}

// Worker: the next item, or false when the span has none left.
inline bool claim_item(Atomic<std::uint64_t>& cursor, std::uint32_t& item) {
    std::uint64_t now = cursor.load(std::memory_order_acquire);
    for (;;) {
        const std::uint32_t next = cursor_next(now);
        if (next >= cursor_end(now)) return false;
        if (cursor.compare_exchange_weak(now, now + 1, std::memory_order_acq_rel, std::memory_order_acquire)) {
            item = next;
            return true;
        }
    }
}

// Parent: takes back items so that the worker keeps at most `keep` unstarted ones; [first, last) is what was taken.
inline bool take_tail(Atomic<std::uint64_t>& cursor, std::uint32_t keep, std::uint32_t& first, std::uint32_t& last) {
    std::uint64_t now = cursor.load(std::memory_order_acquire);
    for (;;) {
        const std::uint32_t next = cursor_next(now);
        const std::uint32_t end = cursor_end(now);
        if (next >= end || end - next <= keep) return false;
        const std::uint32_t cut = next + keep;
        if (cursor.compare_exchange_weak(now, pack_cursor(next, cut), std::memory_order_acq_rel,
                                         std::memory_order_acquire)) {
            first = cut;
            last = end;
            return true;
        }
    }
}

}  // namespace hardwork::shm
