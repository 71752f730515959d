// How many tasks one worker may have at a time: enough that it need not wait for the parent, not so many that others
// lack work or that a task waits long behind others.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sched/estimate.hpp"

namespace hardwork::sched {

// About this much work lies in a ring: longer than the parent is ever away from it, short enough to be taken back.
inline constexpr std::uint64_t kQueueTargetNs = 4'000'000;
// A task as long as this gains nothing from a second one waiting behind it: fetching costs 0.01 of it at the most.
inline constexpr std::uint64_t kNoQueueNs = 5'000'000;

// capacity: slots of the ring; outstanding: tasks of the pool that are not done; workers: of the pool.
inline std::uint32_t queue_depth(const Estimate& estimate, std::uint32_t capacity, std::uint32_t outstanding,
                                 std::uint32_t workers) {
    if (!estimate.known()) return 1;
    const std::uint64_t each = std::max<std::uint64_t>(estimate.ns(), 1);
    if (each >= kNoQueueNs) return 1;
    const std::uint64_t by_time = std::max<std::uint64_t>(kQueueTargetNs / each, 2);
    // Near the end everybody gets a fair share, so that all end together.
    const std::uint64_t share = (std::uint64_t{outstanding} + workers - 1) / std::max(workers, 1U);
    const std::uint64_t wanted = std::min({by_time, std::max<std::uint64_t>(share, 1), std::uint64_t{capacity}});
    return static_cast<std::uint32_t>(wanted);
}

}  // namespace hardwork::sched
