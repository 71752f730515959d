// Workers are asked for and come, or do not; and the pool gives up when none of them comes to anything.
#include <algorithm>

#include "engine/core.hpp"
#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/duplicate.hpp"
#include "os/life.hpp"

namespace hardwork {

Status EngineCore::add_lane() {
    for (std::size_t slot = 0; slot < lanes_.size(); ++slot) {
        if (lanes_[slot] != nullptr) continue;
        auto lane = std::make_unique<LaneState>();
        lane->id = (++lane_generation_ << kLaneSlotBits) | static_cast<std::uint32_t>(slot);
        shm::LaneInfo info{};
        info.lane = lane->id;
        info.generation = lane_generation_;
        info.max_tasks = options_.max_tasks_per_worker;
        info.span_is_task = options_.span_is_task ? 1 : 0;
        info.max_memory = options_.max_memory_per_worker;
        info.spin_ns = static_cast<std::uint32_t>(spin_ns_);
        info.ticks_per_1024ns = os::ticks_per_1024ns();
        os::Fd memory;
        auto made = shm::Lane::create(info, memory);
        if (!made) return made.error();
        auto copy = os::duplicate(memory.get());
        if (!copy) return copy.error();
        lane->memory = std::make_shared<LaneMemory>();
        lane->memory->lane = made.take();
        // Writable, for who keeps a result: it is theirs then.
        lane->memory->windows = shm::Windows(copy.value().get(), shm::Lane::result_arena_offset(),
                                             shm::kResultArenaSize, os::Access::read_write);
        lane->memory->fd = copy.take();
        supervisor_->request_birth(lane->id, std::move(memory));
        HARDWORK_FAULT_POINT();
        lanes_[slot] = std::move(lane);
        if (tally_.to_replace != 0) {
            --tally_.to_replace;
            ++tally_.restarted;
        }
        // Who sleeps on bells has to learn of the new one.
        wake_leader();
        wake_collector();
        return {};
    }
    return {};
}

std::uint64_t EngineCore::next_birth_at() const {
    return std::max({shortage_until_, replace_after_, budget_.next_birth_at(work_waits())});
}

// Work that no worker has been given.
bool EngineCore::work_waits() const {
    return backlog_head_ != nullptr || !span_backlog_.empty() || !open_jobs_.empty();
}

void EngineCore::keep_workers() {
    if (broken_ || stopped_) return;
    std::uint64_t lacking = 0;
    for (const auto& lane : lanes_)
        lacking += lane == nullptr ? 1U : 0U;
    if (options_.on_demand || shutting_down_) {
        // Only as many as there is work that no idle worker could take.
        std::uint64_t wanted = backlog_size_ + span_backlog_.size();
        for (const Job* job : open_jobs_)
            wanted += job->items - job->finished;
        std::uint64_t idle = 0;
        for (const auto& lane : lanes_)
            idle += lane != nullptr && lane->idle() ? 1U : 0U;
        wanted = wanted > idle ? wanted - idle : 0;
        if (wanted < lacking) lacking = wanted;
    }
    if (lacking == 0) return;
    const std::uint64_t at = next_birth_at();
    if (at > os::now_ns()) {
        if (at != births_at_) see_to_births_at(at);
        return;
    }
    for (std::uint64_t i = 0; i < lacking; ++i) {
        if (const Status asked = add_lane(); !asked) return no_process(asked.error());
    }
}

void EngineCore::demand_worker() {
    const std::lock_guard hold(mutex_);
    if (!options_.on_demand || shutting_down_ || broken_ || next_birth_at() > os::now_ns()) return;
    for (const auto& lane : lanes_) {
        if (lane != nullptr && lane->ready && lane->idle()) return;
    }
    static_cast<void>(add_lane());  // a shortage costs nobody a task here
}

void EngineCore::on_born(std::uint32_t id, std::int32_t pid) {
    const std::lock_guard hold(mutex_);
    LaneState* lane = lane_of(id);
    if (lane == nullptr) return;
    if (!lane->born()) ++tally_.born;
    lane->pid = pid;
    if (os::LifeMark::ended(lane->life_word().load(std::memory_order_acquire))) {
        lane->life = 0;  // the collector has looked at it when there was no number to ask about
        wake_collector();
    }
    HARDWORK_FAULT_POINT();
    WorkerDeath who;
    who.pid = pid;
    note_worker(true, who);
}

void EngineCore::on_birth_failed(std::uint32_t id, Error why) {
    const std::lock_guard hold(mutex_);
    LaneState* lane = lane_of(id);
    if (lane == nullptr) return;
    bury(*lane, WorkerDeath{});
    if (hot_ == lane) hot_ = nullptr;
    lanes_[id & (kMaxWorkers - 1)].reset();
    no_process(why);
    wake_collector();
}

// There was no process, memory or descriptor. That is not a fault of the tasks: fewer workers for now; with none at all,
// the pool gives up in the end.
void EngineCore::no_process(const Error& why) {
    const std::uint64_t now = os::now_ns();
    shortage_until_ = now + kShortagePauseNs;
    const bool any = std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane != nullptr; });
    if (!any) {
        budget_.on_barren(Budget::Barren::unborn, now);
        BrokenCause cause;
        cause.kind = BrokenCause::Kind::error;
        cause.error = why;
        give_up(cause);
    }
    if (!broken_) see_to_births_at(next_birth_at());
}

// Killed, and not by the pool itself because it was stuck or had written what cannot be.
bool EngineCore::shot(const LaneState& lane, const WorkerDeath& death) {
    if (death.status.kind != ExitStatus::Kind::signaled || lane.refused || lane.stop.hard()) return false;
    return death.status.value == os::kSigKill || death.status.value == os::kSigTerm;
}

// A worker has ended that never came to anything.
void EngineCore::count_barren(const LaneState& lane, const WorkerDeath& death) {
    using Barren = Budget::Barren;
    const Barren kind = !lane.ready ? Barren::unborn : work_waits() ? Barren::useless : Barren::idle;
    shot(lane, death) ? budget_.on_killed(kind, os::now_ns()) : budget_.on_barren(kind, os::now_ns());
    BrokenCause cause;
    cause.kind = BrokenCause::Kind::death;
    cause.death = death;
    give_up(cause);
}

// Births have come to nothing too often. While a worker lives that has done something, the pool goes on with those that
// it has; and it must not lose what such a worker is doing.
void EngineCore::give_up(const BrokenCause& cause) {
    if (!budget_.exhausted()) return;
    for (const auto& lane : lanes_) {
        if (lane != nullptr && lane->fruitful && lane->open()) return;
    }
    break_pool(cause);
}

// The pool gives up: nothing can be run any more, and everybody is told why.
void EngineCore::break_pool(const BrokenCause& cause) {
    if (broken_) return;
    broken_ = true;
    cause_ = cause;
    cause_bytes_.assign(cause.exception.begin(), cause.exception.end());
    cause_.exception = cause_bytes_;
    closed_.store(static_cast<int>(Errc::broken), std::memory_order_release);  // who sees it may read the cause
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        lane->stopping = true;
        supervisor_->signal_worker(lane->id, os::kSigKill);
    }
    drop_all(Ending::broken);
    wake_collector();
}

}  // namespace hardwork
