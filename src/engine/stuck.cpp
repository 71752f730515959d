// A worker that has work with a time limit, and does not begin with it: it has been stopped (SIGSTOP), or sits in a lock.
// It has nothing that it could lose, and holds up what is its own and, as the only one, all the rest. So it is replaced.
//
//   goes on --no progress for as long as a task may take--> stuck --seen again where it was--> killed
//
// While it prepares itself (INIT: its initializer, a function that it learns) it may import for as long as it likes. There
// only one that is stopped counts, from when it is first seen so.
#include <algorithm>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/life.hpp"

namespace hardwork {

namespace {
// A worker that is awake and gets a CPU at all begins with its work within this.
constexpr std::uint64_t kSlowestStartNs = 1'000'000'000;
// Between two looks: this process may have been away itself.
constexpr std::uint64_t kLookAgainNs = 10'000'000;
constexpr std::uint64_t kNoExecution = ~std::uint64_t{0};

std::uint64_t where_is(const LaneState& lane) {
    const shm::WorkerLine& worker = lane.control().worker;
    std::uint64_t where = worker.result_tail.load(std::memory_order_acquire);
    for (const auto* word : {&worker.request_head, &worker.phase, &worker.position})
        where = where * 1'000'003 + word->load(std::memory_order_acquire);
    return where;
}
}  // namespace

// How long the first of its tasks that has a limit may take to begin; 0: none has.
std::uint64_t EngineCore::patience_with(LaneState& lane) const {
    for (std::uint32_t at = lane.head; at != lane.tail; ++at) {
        const Entry& entry = lane.entry(at);
        if (entry.kind == Entry::Kind::none) continue;
        const std::uint32_t number = entry.kind == Entry::Kind::task ? entry.task->limits : entry.span->job->limits;
        const TaskLimits& limits = limits_[number].limits;
        if (limits.timeout_ns != 0) return std::max(later(limits.timeout_ns, limits.grace_ns), kSlowestStartNs);
    }
    // One that no worker has been given yet may wait for this one.
    const bool waits = work_waits() && limited_ != 0 && smallest_timeout_ != os::kNoDeadline;
    return waits ? std::max(smallest_timeout_, kSlowestStartNs) : 0;
}

std::uint64_t EngineCore::look_at_stuck(LaneState& lane, std::uint64_t now) {
    const Stuck before = std::exchange(lane.stuck, {});
    if (lane.live == 0 || lane.pid == 0 || lane.stopping) return os::kNoDeadline;
    const std::uint64_t patience = patience_with(lane);
    if (patience == 0) return os::kNoDeadline;
    const std::uint64_t where = where_is(lane);
    const bool same = before.since != 0 && before.where == where;
    if (lane.phase() <= Phase::init) {
        if (!os::is_stopped(lane.pid)) return later(now, kLookAgainNs * 10);
        lane.stuck = {same ? before.since : now, where};
        const std::uint64_t due = later(lane.stuck.since, patience);
        if (now < due) return due;
    } else {
        const std::uint64_t due = later(lane.progress_at, patience);
        if (now < due) return due;
        lane.stuck = {same ? before.since : now, where};
        if (!same) return later(now, kLookAgainNs);
    }
    take_back_all(lane);
    Running found;
    if (running(lane, found)) return now;  // it has gone on in this very moment
    lane.stop = {StopStage::killed, StopReason::timeout, kNoExecution, os::kNoDeadline, 0};
    lane.stopping = true;
    supervisor_->signal_worker(lane.id, os::kSigKill);
    return os::kNoDeadline;
}

}  // namespace hardwork
