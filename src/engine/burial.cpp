// A worker has died. What it published stands; the task it was in is lost; all else goes to others.
//
// The ledger says what it had, its lane says how far it came (FAULTS W1-W9):
//   request still open                          -> nobody touched it: given to others
//   claimed, PHASE is CLAIM at that position    -> claimed, not touched: given to others, or cancelled if it was to stop
//   claimed, PHASE in DECODE RUN ENCODE PUBLISH -> lost with it: WorkerDied
//   claimed, its record was in the ring         -> done, already taken by the last drain
//   claimed, and it wrote what cannot be        -> lost: nothing that it says of itself is believed
#include <algorithm>

#include "engine/core.hpp"
#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/life.hpp"

namespace hardwork {

namespace {
// Whoever asks how a worker ended asks soon.
constexpr std::size_t kDeathsKept = 2048;
// Who waits for a lost task gets its error first: a birth takes a CPU for a millisecond (fork), and the lock for a tenth.
constexpr std::uint64_t kReplacePauseNs = 300'000;
// A function that so many workers died of as they were told of it is to blame, and not who happened to kill one then.
constexpr std::uint32_t kDeadly = 3 * Budget::kKilledPerBarren;
}  // namespace

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
    if (!claims_can_be(*lane)) refuse(*lane);
    WorkerDeath death;
    death.pid = lane->pid;
    death.status = status;
    death.refused_record = lane->refused;
    death.out_of_memory = out_of_memory;
    death.phase = lane->phase();
    const bool died = count_end(*lane, death);
    const std::uint32_t function = learning(*lane, death);
    if (function != 0) {
        FunctionInfo& info = functions_[function];
        info.deaths += shot(*lane, death) ? 1 : Budget::kKilledPerBarren;
        if (info.deaths >= kDeadly) lane->deadly = function;
    }
    HARDWORK_FAULT_POINT();
    const std::uint64_t requeued = tally_.requeued;
    bury(*lane, death);
    if (!died) tally_.requeued = requeued;  // one that retires has lost nothing, and gives back what it has
    HARDWORK_FAULT_POINT();
    if (died) note_worker(false, death);
    if (hot_ == lane) hot_ = nullptr;
    const std::unique_ptr<LaneState> gone = std::move(lanes_[id & (kMaxWorkers - 1)]);
    if (died && !gone->fruitful && function == 0) count_barren(*gone, death);
    if (died && death.phase >= Phase::decode) replace_after_ = os::now_ns() + kReplacePauseNs;
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

// The function that a worker died of: it was being told of it. 0: it was not.
std::uint32_t EngineCore::learning(const LaneState& lane, const WorkerDeath& death) const {
    if (!lane.ready || death.phase != Phase::init) return 0;
    for (const auto& [position, function] : lane.definitions) {
        if (position == lane.head) return function;
    }
    return 0;
}

// Whether the claim words of what has no record may be what an honest worker left: it claims one thing at a time, the one
// that it says it is at, and its cursors are within what it was given.
bool EngineCore::claims_can_be(LaneState& lane) {
    const std::uint32_t position = lane.control().worker.position.load(std::memory_order_acquire);
    for (std::uint32_t at = lane.head; at != lane.tail; ++at) {
        const Entry& entry = lane.entry(at);
        const std::uint64_t claim = lane.memory->lane.request(at).claim.load(std::memory_order_acquire);
        std::uint32_t claimed = 0;
        switch (entry.kind) {
            case Entry::Kind::none: continue;
            case Entry::Kind::task:
                if (claim != shm::kOpen && claim != shm::kClaimed) return false;
                claimed = claim == shm::kClaimed ? 1 : 0;
                break;
            case Entry::Kind::span:
                if (!cursor_can_be(*entry.span, claim)) return false;
                claimed = shm::cursor_next(claim) - entry.span->next_result;
                break;
        }
        // After its grace a task has no record, and its worker may have gone on.
        const std::uint32_t item = entry.kind == Entry::Kind::span ? entry.span->next_result : 0;
        if (claimed > 1 || (claimed == 1 && at != position && !stopped_hard(lane, at, item))) return false;
    }
    return true;
}

bool EngineCore::cursor_can_be(const SpanWork& span, std::uint64_t cursor) {
    const std::uint32_t next = shm::cursor_next(cursor);
    return shm::cursor_end(cursor) == span.end && next >= span.next_result && next <= span.end;
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
            const bool begun = current || lane.refused || stopped_hard(lane, at, 0);
            if (terminating_) {
                finish(task, Ending::cancelled, {});
            } else if (lane.deadly != 0 && task->function == lane.deadly) {
                WorkerDeath told = death;
                told.task = Slab::number(task);
                finish_dead(task, Ending::worker_died, told);
            } else if (claim != shm::kOpen && begun) {
                bore_fruit(lane);
                WorkerDeath told = death;
                told.task = Slab::number(task);
                if (being_stopped(lane, at, 0)) {
                    finish_dead(task, lane.stop.ending(), told);
                } else if (!lane.refused && runs_again(task, 0, task->limits)) {
                    queue_front(task);
                } else {
                    finish_dead(task, Ending::worker_died, told);
                }
            } else if (being_stopped(lane, at, 0)) {
                finish(task, Ending::cancelled, {});  // somebody wants it to end, and it has not begun
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

void EngineCore::bury_span(LaneState& lane, SpanWork* span, std::uint64_t cursor, bool current,
                           const WorkerDeath& death) {
    Job& job = *span->job;
    // Of a refused worker whose cursor cannot be, any item may have been run.
    const bool deadly = lane.deadly != 0 && job.function == lane.deadly;
    const std::uint32_t claimed = !deadly && cursor_can_be(*span, cursor) ? shm::cursor_next(cursor) : span->end;
    // One at most, but of a refused worker: its later records are not read.
    while (span->next_result < claimed) {
        const std::uint64_t number = span->chunk->base + span->next_result;
        const bool stopped = being_stopped(lane, span->position, span->next_result);
        const bool begun = current || lane.refused || stopped_hard(lane, span->position, span->next_result);
        if (!begun && !deadly) break;
        if (begun) bore_fruit(lane);
        if (!stopped && !terminating_ && !lane.refused && !deadly && runs_again(&job, number, job.limits)) break;
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

}  // namespace hardwork
