// Whether a task goes to the worker that is awake or wakes another one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hardwork::sched {

// Waking a sleeping worker takes 10 to 50 us until it runs. Work that an awake one will have done by then goes there.
inline constexpr std::uint64_t kPackNs = 20'000;

// A task this short is done sooner than the next one can be submitted: a second worker would only take CPU time from
// who submits.
inline constexpr std::uint64_t kCheapNs = 300;

struct LaneLoad {
    std::uint32_t queued;     // tasks in its ring, with the one that runs
    std::uint32_t depth;      // how many it may have: queue_depth()
    std::uint64_t queued_ns;  // estimate of the work they are
    bool idle;                // has nothing
    bool spinning;            // looks for work without sleeping
    bool born;                // its worker has said that it is ready
};

// The lane for a task of about each_ns (0: unknown), or -1: it waits in the backlog. hot: the lane used last, or -1.
inline int choose_lane(std::span<const LaneLoad> lanes, int hot, std::uint64_t each_ns) {
    const auto has_room = [](const LaneLoad& lane) { return lane.born && lane.queued < lane.depth; };
    if (hot >= 0 && static_cast<std::size_t>(hot) < lanes.size()) {
        const LaneLoad& lane = lanes[static_cast<std::size_t>(hot)];
        const bool awake = lane.spinning || !lane.idle;
        // Behind work of unknown length nothing is packed: that could be a second or a day.
        const bool soon = each_ns != 0 && lane.queued_ns <= kPackNs && each_ns <= kPackNs - lane.queued_ns;
        if (has_room(lane) && awake && (lane.idle || soon)) return hot;
    }
    int best = -1;
    const auto better = [](const LaneLoad& one, const LaneLoad& other) {
        if (one.idle != other.idle) return one.idle;
        if (one.idle) return one.spinning && !other.spinning;
        if (one.queued_ns != other.queued_ns) return one.queued_ns < other.queued_ns;
        return one.queued < other.queued;
    };
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        if (!has_room(lanes[i])) continue;
        if (best < 0 || better(lanes[i], lanes[static_cast<std::size_t>(best)])) best = static_cast<int>(i);
    }
    return best;
}

}  // namespace hardwork::sched
