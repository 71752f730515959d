// Time limits, stops, and tasks that run again. The states of a stop are drawn in lane_state.hpp.
//
// Nobody counts time for a task: the worker writes when it begins one that has a limit, and the supervisor's timer looks
// at the lanes when the first of them is due, and at least once in each shortest limit in use, for what has begun since.
#include <algorithm>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"

namespace hardwork {

namespace {
constexpr std::size_t kMostLimits = 0xffff;
// From SIGTERM to SIGKILL: for a worker's own last words. Whoever holds the GIL in C does not hear SIGTERM either.
constexpr std::uint64_t kLastWordsNs = 10'000'000;
// A soft stop that came in the moment between a claim and the task's beginning is lost on the worker.
constexpr std::uint64_t kSignalAgainNs = 5'000'000;
// While a limit runs there are looks this often at least, whatever the limit: only so can be seen that there were none,
// because this process was stopped itself.
constexpr std::uint64_t kLongestSleepNs = 100'000'000;
// A look that comes so late says that.
constexpr std::uint64_t kAwayNs = 50'000'000;
// How often the memory of workers at work is looked at.
constexpr std::uint64_t kMemoryLookNs = 20'000'000;
constexpr std::uint64_t kMemoryGraceNs = 500'000'000;
}  // namespace

std::uint32_t EngineCore::limits(const TaskLimits& limits) {
    if (limits == TaskLimits{}) return 0;
    const std::lock_guard hold(mutex_);
    std::size_t number = 0;
    for (std::size_t i = limits_.size(); i-- > 1;) {
        if (limits_[i].uses != 0 && limits_[i].limits == limits) {
            ++limits_[i].uses;
            return static_cast<std::uint32_t>(i);
        }
        if (limits_[i].uses == 0) number = i;
    }
    if (number == 0) {
        if (limits_.size() > kMostLimits) return 0;
        number = limits_.size();
        limits_.emplace_back();
    }
    limits_[number] = {limits, 1};
    if (limits.timeout_ns != 0 && limits.timeout_ns < smallest_timeout_) smallest_timeout_ = limits.timeout_ns;
    return static_cast<std::uint32_t>(number);
}

void EngineCore::release_limits(std::uint32_t limits) {
    if (limits == 0 || !in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    drop_limits(limits);
}

void EngineCore::drop_limits(std::uint32_t limits) {
    if (--limits_[limits].uses != 0 || limits_[limits].limits.timeout_ns != smallest_timeout_) return;
    smallest_timeout_ = os::kNoDeadline;
    for (std::size_t i = 1; i < limits_.size(); ++i) {
        const std::uint64_t timeout = limits_[i].uses != 0 ? limits_[i].limits.timeout_ns : 0;
        if (timeout != 0) smallest_timeout_ = std::min(smallest_timeout_, timeout);
    }
}

// A task or job with limits has come.
void EngineCore::limited_begins(std::uint32_t limits) {
    ++limited_;
    ++limits_[limits].uses;
    const std::uint64_t timeout = limits_[limits].limits.timeout_ns;
    if (timeout != 0) look_within(std::min(timeout, kLongestSleepNs));  // nothing is due before the shortest limit
}

void EngineCore::limited_ends(std::uint32_t limits) {
    --limited_;
    drop_limits(limits);
}

// What begins now is to be looked at in `ns` at the latest. If looks are that frequent, one is already coming.
void EngineCore::look_within(std::uint64_t ns) {
    if (look_at_ != os::kNoDeadline && ns >= looks_each_) return;
    looks_each_ = ns;
    look_not_later(later(os::now_ns(), ns));
}

// There is work: the memory of those who do it is to be looked at.
void EngineCore::watch_memory() { look_within(kMemoryLookNs); }

void EngineCore::look_not_later(std::uint64_t at) {
    if (at >= look_at_) return;
    if (look_at_ == os::kNoDeadline) looked_at_ = os::now_ns();
    look_at_ = at;
    set_timer();
}

void EngineCore::see_to_births_at(std::uint64_t at) {
    births_at_ = at;
    set_timer();
}

void EngineCore::set_timer() {
    const std::uint64_t at = std::min(look_at_, births_at_);
    if (supervisor_ != nullptr && at != os::kNoDeadline) supervisor_->wake_at(at);
}

// Everything here was written by the worker, and may change meanwhile: what is found is checked against the ledger, and
// that it has not changed.
bool EngineCore::running(LaneState& lane, Running& found) const {
    shm::Control& control = lane.control();
    if (lane.phase() < Phase::decode) return false;
    const std::uint32_t position = control.worker.position.load(std::memory_order_acquire);
    if (position - lane.head >= lane.tail - lane.head) return false;
    const Entry& entry = lane.entry(position);
    if (entry.kind == Entry::Kind::none) return false;
    const std::uint64_t claim = lane.memory->lane.request(position).claim.load(std::memory_order_acquire);
    std::uint32_t item = 0;
    if (entry.kind == Entry::Kind::span) {
        item = shm::cursor_next(claim) - 1;
        if (item < entry.span->next_result || item >= entry.span->end) return false;
        found.limits = entry.span->job->limits;
    } else {
        found.limits = entry.task->limits;
    }
    // Of a later item this is later too: never too long.
    const std::uint64_t begun = control.worker.begun.load(std::memory_order_acquire);
    if (lane.phase() < Phase::decode || control.worker.position.load(std::memory_order_acquire) != position)
        return false;
    const std::uint64_t ticks = os::ticks();
    found.elapsed_ns = begun < ticks ? (ticks - begun) / control.info.ticks_per_1024ns * 1024 : 0;
    found.execution = shm::execution_of(position, item);
    if (lane.excuse.execution == found.execution) {
        found.elapsed_ns -= std::min(found.elapsed_ns, lane.excuse.ns);
    }
    return true;
}

// Whether the execution that is to end is the one under way.
bool EngineCore::still_running(LaneState& lane) const {
    Running found;
    return running(lane, found) && found.execution == lane.stop.execution;
}

// Whether that execution, of what has been claimed, has no result yet.
bool EngineCore::pending(LaneState& lane, std::uint64_t execution) const {
    const auto position = static_cast<std::uint32_t>(execution >> 32);
    if (position - lane.head >= lane.tail - lane.head) return false;
    const Entry& entry = lane.entry(position);
    if (entry.kind == Entry::Kind::span) return static_cast<std::uint32_t>(execution) >= entry.span->next_result;
    return entry.kind == Entry::Kind::task;
}

void EngineCore::look_at_limits() {
    drain();
    const std::uint64_t now = os::now_ns();
    if (now > later(look_at_, kAwayNs)) excuse(now);
    looked_at_ = now;
    // For what begins meanwhile, also with workers that are not there yet.
    const bool memory = options_.max_memory_per_worker != 0 && !nothing_outstanding();
    const bool timed = limited_ != 0 && smallest_timeout_ != os::kNoDeadline;
    looks_each_ = timed ? std::min(smallest_timeout_, kLongestSleepNs) : os::kNoDeadline;
    if (memory) looks_each_ = std::min(looks_each_, kMemoryLookNs);
    std::uint64_t next = later(now, looks_each_);
    for (const auto& lane : lanes_) {
        if (lane != nullptr && (memory || limited_ != 0 || lane->stop.stage != StopStage::none)) {
            next = std::min(next, look_at(*lane, now));
            if (lane->stop.stage != StopStage::none) next = std::min(next, now + kLongestSleepNs);
        }
    }
    fill();
    look_at_ = next;
}

// This process did not run for a while: it was stopped, or got no CPU. Its workers were stopped with it perhaps, and
// perhaps not: who is in doubt gets the time. So all that runs goes on where it was at the last look.
void EngineCore::excuse(std::uint64_t now) {
    const std::uint64_t away = now - looked_at_;
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        lane->progress_at = std::min(lane->progress_at + away, now);
        if (lane->stuck.since != 0) lane->stuck.since = std::min(lane->stuck.since + away, now);
        lane->stop.next_at = later(lane->stop.next_at, away);
        lane->stop.again_at = later(lane->stop.again_at, away);
        Running found;
        if (!running(*lane, found)) continue;
        const std::uint64_t missed = std::min(found.elapsed_ns, away);
        const bool again = lane->excuse.execution == found.execution;
        lane->excuse = {found.execution, again ? lane->excuse.ns + missed : missed};
    }
}

std::uint64_t EngineCore::look_at(LaneState& lane, std::uint64_t now) {
    if (lane.stop.stage != StopStage::none) return drive_stop(lane, now);
    Running found;
    if (!running(lane, found)) return look_at_stuck(lane, now);
    lane.stuck = {};
    const std::uint64_t memory = options_.max_memory_per_worker;
    if (memory != 0 && os::resident_bytes(lane.pid) / 2 > memory) {
        begin_stop(lane, found.execution, StopReason::memory, kMemoryGraceNs);
        return std::min(lane.stop.again_at, lane.stop.next_at);
    }
    const TaskLimits& limits = limits_[found.limits].limits;
    if (limits.timeout_ns == 0) return os::kNoDeadline;
    if (found.elapsed_ns < limits.timeout_ns) return later(now, limits.timeout_ns - found.elapsed_ns);
    begin_stop(lane, found.execution, StopReason::timeout, limits.grace_ns);
    return std::min(lane.stop.again_at, lane.stop.next_at);
}

void EngineCore::begin_stop(LaneState& lane, std::uint64_t execution, StopReason reason, std::uint64_t grace_ns) {
    const std::uint64_t now = os::now_ns();
    lane.stop = {StopStage::soft, reason, execution, later(now, grace_ns), later(now, kSignalAgainNs)};
    shm::ask_to_stop(lane.control().parent, execution, static_cast<std::uint32_t>(reason));
    send_stop_signal(lane);
}

void EngineCore::send_stop_signal(const LaneState& lane) {
    if (options_.stop_signal != 0) supervisor_->signal_worker(lane.id, options_.stop_signal);
}

std::uint64_t EngineCore::drive_stop(LaneState& lane, std::uint64_t now) {
    Stopping& stop = lane.stop;
    switch (stop.stage) {
        case StopStage::none: return os::kNoDeadline;
        case StopStage::soft: {
            if (!still_running(lane) && (stop.reason != StopReason::request || !pending(lane, stop.execution))) {
                stop = {};
                return look_at(lane, now);
            }
            if (now >= stop.again_at) {
                stop.again_at = os::kNoDeadline;
                send_stop_signal(lane);
            }
            if (now < stop.next_at) return std::min(stop.again_at, stop.next_at);
            if (!stop_hard(lane, now)) return now;
            return stop.next_at;
        }
        case StopStage::terminated:
            if (now < stop.next_at) return stop.next_at;
            stop.stage = StopStage::killed;
            supervisor_->signal_worker(lane.id, os::kSigKill);
            return os::kNoDeadline;
        case StopStage::killed: return os::kNoDeadline;
    }
    return os::kNoDeadline;
}

// The grace is over. First everything else is taken back: so the worker has nothing left that it could begin, and it is
// known for sure what its death will cost. False: it has gone on in this very moment.
bool EngineCore::stop_hard(LaneState& lane, std::uint64_t now) {
    take_back_all(lane);
    const bool running = still_running(lane);
    if (!running && !pending(lane, lane.stop.execution)) {
        lane.stop = {};
        return false;
    }
    lane.stop.next_at = later(now, kLastWordsNs);
    if (!running) return true;  // it is about to begin
    lane.stop.stage = StopStage::terminated;
    lane.stopping = true;
    supervisor_->signal_worker(lane.id, os::kSigTerm);
    return true;
}

bool EngineCore::stop(Task* task) {
    if (!in_owner_process()) return false;
    const std::lock_guard hold(mutex_);
    if (drain()) fill();
    if (state_of(*task) == TaskState::done) return false;
    if (cancel_unstarted(task)) return true;
    LaneState* lane = state_of(*task) == TaskState::in_lane ? lane_of(task->lane) : nullptr;
    if (lane == nullptr) return false;
    request_stop(*lane, shm::execution_of(task->position, 0), task->limits);
    return true;
}

bool EngineCore::stop(Job* job) {
    if (!in_owner_process()) return false;
    const std::lock_guard hold(mutex_);
    if (drain()) fill();
    if (job->sealed && job->finished == job->items) return false;
    if (!job->cancelled) cancel_job(*job);
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        for (std::uint32_t at = lane->head; at != lane->tail; ++at) {
            const Entry& entry = lane->entry(at);
            if (entry.kind != Entry::Kind::span || entry.span->job != job) continue;
            // Nothing more of it can be claimed. So the last that was is the one under way, if any is.
            const std::uint64_t claim = lane->memory->lane.request(at).claim.load(std::memory_order_acquire);
            const std::uint32_t claimed = shm::cursor_next(claim);
            if (claimed > entry.span->next_result && claimed <= entry.span->end) {
                request_stop(*lane, shm::execution_of(at, claimed - 1), job->limits);
            }
        }
    }
    free_job_if_over(job);
    return true;
}

// Somebody wants it, and no time limit.
void EngineCore::request_stop(LaneState& lane, std::uint64_t execution, std::uint32_t limits) {
    if (lane.stop.stage != StopStage::none && lane.stop.execution == execution) return;
    begin_stop(lane, execution, StopReason::request, limits_[limits].limits.grace_ns);
    look_not_later(std::min(lane.stop.again_at, lane.stop.next_at));
}

bool EngineCore::being_stopped(const LaneState& lane, std::uint32_t position, std::uint32_t item) {
    return lane.stop.stage != StopStage::none && lane.stop.execution == shm::execution_of(position, item);
}

bool EngineCore::stopped_hard(const LaneState& lane, std::uint32_t position, std::uint32_t item) {
    return lane.stop.hard() && being_stopped(lane, position, item);
}

bool EngineCore::runs_again(const void* what, std::uint64_t item, std::uint32_t limits) {
    const std::uint32_t most = limits_[limits].limits.retries;
    if (most == 0) return false;
    std::uint32_t& runs = runs_[{what, item}];
    if (runs < most) {
        ++runs;
        ++tally_.retried;
        return true;
    }
    runs_.erase({what, item});
    return false;
}

}  // namespace hardwork
