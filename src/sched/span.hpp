// How a map is cut: guided self-scheduling (Polychronopoulos and Kuck, 1987), bounded by time; and what an idle worker
// takes from a busy one.
#pragma once

#include <algorithm>
#include <cstdint>

#include "sched/estimate.hpp"
#include "sched/placement.hpp"

namespace hardwork::sched {

// A span is at most this much work, so that results stream in order and there is something left to share out.
inline constexpr std::uint64_t kSpanTargetNs = 20'000'000;
inline constexpr std::uint32_t kProbeItems = 8;  // while nothing is known of the function

// Whether so many items are done sooner by one worker that is awake than shared with one that has to be woken. queued_ns:
// what that worker has already.
inline bool packs_items(std::uint64_t items, const Estimate& estimate, std::uint64_t queued_ns) {
    if (!estimate.known() || queued_ns > kPackNs) return false;
    return items <= (kPackNs - queued_ns) / std::max<std::uint64_t>(estimate.ns(), 1);
}

// remaining: items not yet given to anybody, at least 1.
inline std::uint32_t span_size(std::uint64_t remaining, std::uint32_t workers, const Estimate& estimate) {
    if (packs_items(remaining, estimate, 0)) return static_cast<std::uint32_t>(remaining);
    workers = std::max(workers, 1U);
    // A part of what is left for each worker, and never over a quarter: somebody may still come and want some.
    const std::uint64_t guided =
        std::max<std::uint64_t>(remaining / std::max(std::uint64_t{2} * workers, std::uint64_t{4}), 1);
    std::uint64_t most = kProbeItems;
    if (estimate.known()) most = std::max<std::uint64_t>(kSpanTargetNs / std::max<std::uint64_t>(estimate.ns(), 1), 1);
    return static_cast<std::uint32_t>(std::min<std::uint64_t>({guided, most, std::uint64_t{1} << 31}));
}

// Of `remaining` unstarted items the victim keeps this many; the thief takes the others (at least one if there is one).
inline std::uint32_t split_point(std::uint32_t remaining) { return remaining / 2; }

}  // namespace hardwork::sched
