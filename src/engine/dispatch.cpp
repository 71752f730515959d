// From the backlog to the lanes.
#include <cstring>

#include "engine/core.hpp"
#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "sched/batch.hpp"
#include "sched/placement.hpp"
#include "sched/span.hpp"

namespace hardwork {

namespace {
constexpr std::uint32_t kSlotsAhead = 3;
// A lane with more work than this waits for no more of a map.
constexpr std::uint64_t kLaneFullNs = 20'000'000;
}  // namespace

void EngineCore::put_input(shm::Request& request, const Input& input) {
    request.in_arena = input.in_arena;
    if (input.in_arena) {
        request.extent = {input.offset, input.length};
    } else {
        request.inline_length = static_cast<std::uint16_t>(input.length);
        std::memcpy(request.bytes, input.small, sizeof input.small);
    }
}

shm::Request* EngineCore::next_request(LaneState& lane) {
    if (lane.room() == 0) {
        drain_lane(lane);
        if (lane.room() == 0 || lane.refused) return nullptr;
    }
    lane.entry(lane.tail) = Entry{};
    return &lane.memory->lane.request(lane.tail);
}

// Makes everything up to lane.tail the worker's and wakes it if it sleeps.
void EngineCore::publish(LaneState& lane) {
    shm::Control& control = lane.control();
    if (lane.live == 1) lane.progress_at = os::now_ns();
    control.parent.request_tail.store(lane.tail, std::memory_order_release);
    // We store the tail and look at `sleeping`; the worker stores `sleeping` and looks at the tail.
    full_fence();
    if (control.bells.sleeping.load(std::memory_order_relaxed) != 0) {
        // It will ask whether we share its CPU: before it spins for the next task.
        control.parent.cpu.store(os::current_cpu(), std::memory_order_relaxed);
        control.parent.work_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(control.parent.work_bell, 1);
    }
    hot_ = &lane;
}

// The worker must know the function before the request that uses it.
bool EngineCore::introduce(LaneState& lane, std::uint32_t function) {
    if (function == 0) return true;
    const std::size_t word = function / 64;
    const std::uint64_t bit = std::uint64_t{1} << (function % 64);
    if (word < lane.known_functions.size() && (lane.known_functions[word] & bit) != 0) return true;
    shm::Request* request = next_request(lane);
    if (request == nullptr) return false;
    if (word >= lane.known_functions.size()) lane.known_functions.resize(word + 1);
    request->kind = shm::RequestKind::define;
    request->function = function;
    put_input(*request, functions_[function].code);
    HARDWORK_FAULT_POINT();
    tally_.sent += functions_[function].code.length;
    lane.known_functions[word] |= bit;
    lane.definitions.emplace_back(lane.tail, function);
    ++lane.tail;
    return true;
}

bool EngineCore::give_task(LaneState& lane, Task* task) {
    if (lane.room() < kReservedSlots) drain_lane(lane);
    if (lane.room() < kReservedSlots || lane.refused || !introduce(lane, task->function)) return false;
    shm::Request* request = next_request(lane);
    if (request == nullptr) return false;
    request->claim.store(shm::kOpen, std::memory_order_relaxed);
    request->task = Slab::number(task);
    request->timed = timed(task->limits);
    request->function = task->function;
    request->kind = shm::RequestKind::task;
    request->in_arena = (task->flags & kInputInArena) != 0;
    if (request->in_arena) {
        request->extent = task->storage.extent;
    } else {
        request->inline_length = task->length;
        std::memcpy(request->bytes, task->storage.bytes, sizeof task->storage.bytes);
    }
    HARDWORK_FAULT_POINT();
    task->lane = lane.id;
    task->position = lane.tail;
    Entry& entry = lane.entry(lane.tail);
    entry.kind = Entry::Kind::task;
    entry.task = task;
    ++lane.tail;
    ++lane.live;
    // The worker wrote to that slot a round ago; fetching it back takes as long as a submit, so it begins some before.
    __builtin_prefetch(&lane.memory->lane.request(lane.tail + kSlotsAhead), 1);
    lane.queued_ns += functions_[task->function].estimate.ns();
    set_state(*task, TaskState::in_lane);
    return true;
}

bool EngineCore::give_span(LaneState& lane, SpanWork* span) {
    if (lane.room() < kReservedSlots) drain_lane(lane);
    Job& job = *span->job;
    if (lane.room() < kReservedSlots || lane.refused || !introduce(lane, job.function)) return false;
    shm::Request* request = next_request(lane);
    if (request == nullptr) return false;
    const std::uint64_t first = span->chunk->base + span->next_result;
    auto& piece = job.pieces[first];
    if (piece == nullptr) piece = std::make_unique<Piece>();
    span->piece = piece.get();
    span->piece_first = first;
    span->number = next_span_number_++;
    span->lane = lane.id;
    span->position = lane.tail;
    request->claim.store(shm::pack_cursor(span->next_result, span->end), std::memory_order_relaxed);
    request->task = span->number;
    request->timed = timed(job.limits);
    request->function = job.function;
    request->kind = shm::RequestKind::span;
    put_input(*request, span->chunk->input);
    HARDWORK_FAULT_POINT();
    Entry& entry = lane.entry(lane.tail);
    entry.kind = Entry::Kind::span;
    entry.span = span;
    ++lane.tail;
    ++lane.live;
    lane.queued_ns += functions_[job.function].estimate.ns() * (span->end - span->next_result);
    return true;
}

// The lane for one more task of that kind, or nullptr: then it waits in the backlog.
LaneState* EngineCore::lane_for(const Estimate& estimate, std::uint64_t outstanding) {
    if (hot_ != nullptr && hot_->open()) {
        if (sched::packs(hot_->load(), estimate, kTasksPerLane)) {
            look_after_packed();
            return hot_;
        }
        if (hot_->live == 0) return hot_;
    }
    const auto workers = static_cast<std::uint32_t>(options_.workers);
    const std::uint32_t total = outstanding > 0xffffffffU ? 0xffffffffU : static_cast<std::uint32_t>(outstanding);
    const std::uint32_t depth = sched::queue_depth(estimate, kTasksPerLane, total, workers);
    LaneState* best = nullptr;
    std::uint64_t least = ~std::uint64_t{0};
    for (const auto& lane : lanes_) {
        if (lane == nullptr || !lane->open() || lane->live >= depth) continue;
        if (const std::uint64_t wait = sched::wait_ns(lane->load()); wait < least) {
            least = wait;
            best = lane.get();
        }
    }
    if (best != nullptr && best->live > 0) look_after_packed();
    return best;
}

Task* EngineCore::pop_task() {
    while (backlog_head_ != nullptr) {
        Task* task = backlog_head_;
        backlog_head_ = task->next;
        if (backlog_head_ == nullptr) backlog_tail_ = nullptr;
        --backlog_size_;
        if (state_of(*task) == TaskState::queued) return task;
        release(task);  // cancelled meanwhile
    }
    return nullptr;
}

void EngineCore::queue_front(Task* task) {
    set_state(*task, TaskState::queued);
    task->next = backlog_head_;
    backlog_head_ = task;
    if (backlog_tail_ == nullptr) backlog_tail_ = task;
    ++backlog_size_;
}

// The lane for the next run of items, or nullptr.
LaneState* EngineCore::lane_for_span() {
    std::uint64_t items = 0;
    std::uint32_t function = 0;
    if (!span_backlog_.empty()) {
        const SpanWork& span = *span_backlog_.front();
        items = span.end - span.next_result;
        function = span.job->function;
    } else {
        items = open_jobs_.front()->unspanned;
        function = open_jobs_.front()->function;
    }
    // A lane takes a second span while it works on the first, never a third: the rest stays to be shared out.
    const auto wants = [](const LaneState& lane) {
        return lane.open() && lane.live < 2 && lane.queued_ns <= kLaneFullNs && (lane.live == 0 || lane.ready);
    };
    if (hot_ != nullptr && hot_->ready && wants(*hot_) &&
        sched::packs_items(items, functions_[function].estimate, hot_->queued_ns)) {
        return hot_;
    }
    LaneState* best = nullptr;
    for (const auto& lane : lanes_) {
        if (lane == nullptr || !wants(*lane)) continue;
        if (best == nullptr || lane->live < best->live) best = lane.get();
    }
    return best;
}

// The next run of items to give out: what was taken back first, then what is left of the oldest map.
SpanWork* EngineCore::next_span() {
    if (!span_backlog_.empty()) {
        SpanWork* span = span_backlog_.front();
        span_backlog_.pop_front();
        return span;
    }
    while (!open_jobs_.empty()) {
        Job& job = *open_jobs_.front();
        while (job.first_open < job.chunks.size() &&
               job.chunks[job.first_open]->next == job.chunks[job.first_open]->count) {
            ++job.first_open;
        }
        if (job.first_open == job.chunks.size()) {
            open_jobs_.pop_front();
            continue;
        }
        Chunk* chunk = job.chunks[job.first_open].get();
        const auto workers = static_cast<std::uint32_t>(options_.workers);
        std::uint32_t size = job.most_in_row;
        if (size == 0) size = sched::span_size(job.unspanned, workers, functions_[job.function].estimate);
        if (size > chunk->count - chunk->next) size = chunk->count - chunk->next;
        SpanWork* span = new_span(job, *chunk, chunk->next, chunk->next + size);
        chunk->next += size;
        job.unspanned -= size;
        return span;
    }
    return nullptr;
}

// The oldest task that waits goes to a lane. False if none waits, or no lane wants it.
bool EngineCore::give_next_task() {
    Task* task = pop_task();
    if (task == nullptr) return false;
    LaneState* lane = lane_for(functions_[task->function].estimate, outstanding_);
    if (lane == nullptr || !give_task(*lane, task)) {
        queue_front(task);
        return false;
    }
    publish(*lane);
    return true;
}

// Gives out what waits, as far as lanes want more; then lets idle lanes take from busy ones.
void EngineCore::fill() {
    for (;;) {
        const bool spans = !span_backlog_.empty() || !open_jobs_.empty();
        if (backlog_head_ != nullptr && !(spans && spans_turn_)) {
            spans_turn_ = true;
            if (!give_next_task() && !spans) break;
            continue;
        }
        spans_turn_ = false;
        if (!spans) break;
        LaneState* best = lane_for_span();
        if (best == nullptr) {
            // No lane for a span; a task may still find one.
            if (!give_next_task()) break;
            continue;
        }
        SpanWork* span = next_span();
        if (span == nullptr) continue;
        if (!give_span(*best, span)) {
            span_backlog_.push_front(span);
            break;
        }
        publish(*best);
    }
    if (backlog_head_ == nullptr && span_backlog_.empty() && open_jobs_.empty()) {
        for (const auto& lane : lanes_) {
            if (lane != nullptr && lane->ready && lane->idle()) {
                if (!steal_for(*lane)) break;
            }
        }
    }
    if (options_.on_demand || shutting_down_) keep_workers();
}

}  // namespace hardwork
