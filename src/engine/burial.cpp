// A worker has died. What it published stands; the task it was in is lost; all else goes to others.
//
// The ledger says what it had, its lane says how far it came (FAULTS W1-W9):
//   request still open                          -> nobody touched it: given to others
//   claimed, PHASE is CLAIM at that position    -> claimed, not touched: given to others
//   claimed, PHASE in DECODE RUN ENCODE PUBLISH -> lost with it: WorkerDied
//   claimed, its record was in the ring         -> done, already taken by the last drain
#include "engine/core.hpp"
#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/life.hpp"

namespace hardwork {

namespace {
// Whoever asks how a worker ended asks soon.
constexpr std::size_t kDeathsKept = 2048;
}  // namespace

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

void EngineCore::on_death(std::uint32_t id, std::int32_t pid, ExitStatus status) {
    const std::lock_guard one_at_a_time(deaths_mutex_);
    std::unique_lock hold(mutex_);
    LaneState* lane = lane_of(id);
    if (lane == nullptr) {  // found ended before; who waits for its process may go on
        wake_collector();
        return;
    }
    const bool killed = status.kind == ExitStatus::Kind::signaled && status.value == os::kSigKill;
    hold.unlock();  // it reads a file; a lane whose worker was born goes here only
    const bool out_of_memory = killed && oom_.take(os::now_ns());
    hold.lock();
    if (!lane->born() && pid != 0) ++tally_.born;
    if (pid != 0) lane->pid = pid;
    if (lane->pid != 0) deaths_.emplace_front(lane->pid, status);
    if (deaths_.size() > kDeathsKept) deaths_.pop_back();
    drain_lane(*lane);
    if (lane_of(id) != lane) return;
    WorkerDeath death;
    death.pid = lane->pid;
    death.status = status;
    death.refused_record = lane->refused;
    death.out_of_memory = out_of_memory;
    death.phase = lane->phase();
    const bool died = count_end(*lane, death);
    const bool barren = !lane->ready && !lane->stopping;
    HARDWORK_FAULT_POINT();
    bury(*lane, death);
    HARDWORK_FAULT_POINT();
    if (died) note_worker(false, death);
    if (hot_ == lane) hot_ = nullptr;
    lanes_[id & (kMaxWorkers - 1)].reset();
    if (barren) {
        const bool shot = killed || (status.kind == ExitStatus::Kind::signaled && status.value == os::kSigTerm);
        shot ? budget_.on_killed(os::now_ns()) : budget_.on_barren(os::now_ns());
        if (budget_.exhausted()) break_pool({});
    }
    if (!shutting_down_ || !nothing_outstanding()) keep_workers();
    fill();
    HARDWORK_FAULT_POINT();
    wake_leader();
    wake_collector();
}

ExitStatus EngineCore::exit_status(std::int32_t pid) {
    const std::lock_guard hold(mutex_);
    for (const auto& [dead, status] : deaths_) {
        if (dead == pid) return status;  // numbers come again: the newest
    }
    return {};
}

std::vector<std::int32_t> EngineCore::ended_workers() {
    std::vector<std::int32_t> pids;
    const std::lock_guard hold(mutex_);
    for (const auto& [pid, status] : deaths_)
        pids.push_back(pid);
    return pids;
}

void EngineCore::on_birth_failed(std::uint32_t id, Error) {
    const std::lock_guard hold(mutex_);
    LaneState* lane = lane_of(id);
    if (lane == nullptr) return;
    bury(*lane, WorkerDeath{});
    if (hot_ == lane) hot_ = nullptr;
    lanes_[id & (kMaxWorkers - 1)].reset();
    // A shortage is not a fault of the tasks: fewer workers for now; with none at all, the pool gives up in the end.
    bool any = false;
    for (const auto& other : lanes_)
        any = any || other != nullptr;
    if (!any) {
        budget_.on_barren(os::now_ns());
        if (budget_.exhausted()) break_pool({});
    }
    if (!broken_) see_to_births_at(os::now_ns() + kShortagePauseNs);
    wake_collector();
}

void EngineCore::on_timer() {
    const std::lock_guard hold(mutex_);
    const std::uint64_t now = os::now_ns();
    if (births_at_ <= now) {
        births_at_ = os::kNoDeadline;
        keep_workers();
    }
    fill();
    if (look_at_ <= now) look_at_limits();
    supervisor_->wake_at(os::kNoDeadline);
    set_timer();
}

void EngineCore::bury(LaneState& lane, const WorkerDeath& death) {
    const std::uint32_t position = lane.control().worker.position.load(std::memory_order_acquire);
    const bool touched = death.phase >= Phase::decode;
    // From the back, so that what goes to the front of the backlog ends up in its old order.
    for (std::uint32_t at = lane.tail; at != lane.head;) {
        --at;
        Entry& entry = lane.entry(at);
        const bool current = touched && at == position;
        const std::uint64_t claim = lane.memory->lane.request(at).claim.load(std::memory_order_acquire);
        if (entry.kind == Entry::Kind::task) {
            Task* task = entry.task;
            entry = Entry{};
            if (terminating_) {
                finish(task, Ending::cancelled, {});
            } else if (claim == shm::kClaimed && (current || lane.refused || stopped_hard(lane, at, 0))) {
                WorkerDeath told = death;
                told.task = Slab::number(task);
                if (being_stopped(lane, at, 0)) {
                    finish_dead(task, lane.stop.ending(), told);
                } else if (!lane.refused && runs_again(task, 0, task->limits)) {
                    queue_front(task);
                } else {
                    finish_dead(task, Ending::worker_died, told);
                }
            } else {
                ++tally_.requeued;
                queue_front(task);
            }
        } else if (entry.kind == Entry::Kind::span) {
            SpanWork* span = entry.span;
            entry = Entry{};
            bury_span(lane, span, claim, current, death);
        }
    }
    lane.head = lane.tail;
    lane.live = 0;
    lane.queued_ns = 0;
}

void EngineCore::bury_span(const LaneState& lane, SpanWork* span, std::uint64_t cursor, bool current,
                           const WorkerDeath& death) {
    Job& job = *span->job;
    // At most one item is claimed and without a record: the worker claims one at a time.
    const std::uint64_t number = span->chunk->base + span->next_result;
    const bool stopped = being_stopped(lane, span->position, span->next_result);
    bool lost = span->next_result < span->end && shm::cursor_next(cursor) > span->next_result &&
                (current || stopped_hard(lane, span->position, span->next_result));
    if (lost && !stopped && !terminating_ && !lane.refused && runs_again(&job, number, job.limits)) lost = false;
    if (lost) {
        WorkerDeath told = death;
        told.task = number;
        const Ending ending = stopped ? lane.stop.ending() : Ending::worker_died;
        if (terminating_) {
            end_item(*span, Ending::cancelled, false, {});
        } else {
            end_item(*span, ending, false, std::as_bytes(std::span(&told, 1)));
        }
    }
    if (span->next_result < span->end && job.cancelled) {
        // Claimed, not begun: nobody wants it any more, and it must not keep the map from ending.
        drop_items(job, *span->chunk, span->end - span->next_result);
        span->next_result = span->end;
    }
    if (span->next_result < span->end) {
        tally_.requeued += span->end - span->next_result;
        span_backlog_.push_front(new_span(job, *span->chunk, span->next_result, span->end));
    }
    if (job.waited) wake_waiters(nullptr, &job);
    span_over(span);
}

// The pool gives up: nothing can be run any more, and everybody is told why.
void EngineCore::break_pool(std::span<const std::byte> cause) {
    if (broken_) return;
    broken_ = true;
    cause_.assign(cause.begin(), cause.end());
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
