// Whether a task goes to the worker that is awake or wakes another one, and to which.
#pragma once

#include <cstdint>

#include "sched/batch.hpp"
#include "sched/estimate.hpp"

namespace hardwork::sched {

// Waking a sleeping worker takes 10 to 50 us until it runs. Work that an awake one will have done by then goes there.
inline constexpr std::uint64_t kPackNs = 20'000;
// A task this short is done sooner than the next one can be submitted: a second worker would only take CPU time from
// who submits.
inline constexpr std::uint64_t kCheapNs = 300;
// A lane whose worker is still being born takes nothing that a living one could start sooner.
inline constexpr std::uint64_t kBirthNs = 500'000;
// A task of unknown length counts as this much: of two such lanes the shorter queue is better.
inline constexpr std::uint64_t kUnknownNs = 1024;

struct LaneLoad {
    std::uint32_t queued = 0;     // tasks and spans given to it and not done
    std::uint64_t queued_ns = 0;  // estimate of the work they are
    bool born = false;            // its worker has said that it is ready
};

// Whether one more task is packed behind the work of the lane used last, which is awake. Behind work of unknown length
// nothing is packed: that could be a second or a day. capacity: slots of its ring.
inline bool packs(const LaneLoad& hot, const Estimate& estimate, std::uint32_t capacity) {
    if (!estimate.known() || !hot.born || hot.queued == 0) return false;
    const std::uint64_t each = estimate.ns();
    const bool soon = each <= kPackNs && hot.queued_ns <= kPackNs - each;
    if (each > kCheapNs && !soon) return false;
    return hot.queued < queue_depth(estimate, capacity, ~std::uint32_t{0}, 1);
}

// About how long a task would wait there: it goes where that is least.
inline std::uint64_t wait_ns(const LaneLoad& lane) {
    const std::uint64_t by_count = std::uint64_t{lane.queued} * kUnknownNs + (lane.born ? 0 : kBirthNs);
    const std::uint64_t sum = lane.queued_ns + by_count;
    return sum < by_count ? ~std::uint64_t{0} : sum;
}

}  // namespace hardwork::sched
