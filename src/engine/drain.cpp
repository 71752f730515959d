// From the lanes' result rings to tasks and maps. Every byte read here was written by a worker and is checked.
#include <cstring>

#include "engine/core.hpp"
#include "hardwork/worker.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/futex.hpp"

namespace hardwork {

namespace {

Ending ending_of(std::uint8_t outcome) {
    switch (static_cast<Outcome>(outcome)) {
        case Outcome::value: return Ending::value;
        case Outcome::exception: return Ending::exception;
        case Outcome::skipped: return Ending::skipped;
    }
    return Ending::exception;
}

bool plausible(const shm::Record& record, std::uint64_t available, std::uint32_t generation) {
    if (record.generation != static_cast<std::uint8_t>(generation)) return false;
    if (record.length > shm::kMaxInlineResult || shm::record_size(record.kind, record.length) > available) return false;
    if (record.in_arena > 1 || (record.in_arena == 1 && record.length != sizeof(shm::Extent))) return false;
    return record.outcome <= static_cast<std::uint8_t>(Outcome::skipped);
}

}  // namespace

bool EngineCore::drain() {
    bool any = false;
    for (std::size_t slot = 0; slot < lanes_.size(); ++slot) {
        if (lanes_[slot] != nullptr) any = drain_lane(*lanes_[slot]) || any;
    }
    return any;
}

bool EngineCore::drain_lane(LaneState& lane) {
    if (lane.refused) return false;
    shm::Control& control = lane.control();
    // The head first, then the tail: the worker stores a request's record before it moves its head past the request. So
    // every record of the slots that become free here is among those read below, and none loses its ledger entry.
    const std::uint32_t head = control.worker.request_head.load(std::memory_order_acquire);
    if (head - lane.head > lane.tail - lane.head) {
        refuse(lane);
        return false;
    }
    const std::uint64_t tail = control.worker.result_tail.load(std::memory_order_acquire);
    if (tail == lane.result_head) {
        pass_requests(lane, head);
        return false;
    }
    if (tail - lane.result_head > shm::kResultRingSize || tail % 8 != 0) {
        refuse(lane);
        return false;
    }
    tally_.received += tail - lane.result_head;
    while (lane.result_head != tail) {
        if (!take_next(lane, tail)) {
            refuse(lane);
            return true;
        }
    }
    lane.progress_at = os::now_ns();
    if (!lane.fruitful && lane.result_head > shm::record_size(shm::RecordKind::ready, 0)) bore_fruit(lane);
    control.parent.result_head.store(lane.result_head, std::memory_order_release);
    full_fence();
    if (control.bells.blocked.load(std::memory_order_relaxed) != 0) {
        control.parent.work_bell.fetch_add(1, std::memory_order_release);
        os::futex_wake(control.parent.work_bell, 1);
    }
    pass_requests(lane, head);
    tell_releases(lane);
    return true;
}

// The record at result_head; of a map's short items as many as follow each other. False if it is no good.
bool EngineCore::take_next(LaneState& lane, std::uint64_t tail) {
    const std::byte* at = lane.memory->lane.result(lane.result_head);
    const std::uint64_t available = tail - lane.result_head;  // not 0, and a multiple of 8
    // Each byte is copied once: the worker could change it between two looks.
    shm::Record record;
    std::memcpy(&record, at, shm::kShortHeader);
    const std::uint32_t generation = lane.id >> kLaneSlotBits;
    if (!plausible(record, available, generation)) return false;
    if (record.kind == shm::RecordKind::next_item) return take_following(lane, record, tail);
    std::memcpy(&record.index, at + shm::kShortHeader, sizeof record - shm::kShortHeader);
    if (!take_record(lane, record, at + sizeof record)) return false;
    lane.result_head += shm::record_size(record.kind, record.length);
    return true;
}

// The worker is done with the requests before `head`. All records are in: one that still has an entry has none.
void EngineCore::pass_requests(LaneState& lane, std::uint32_t head) {
    for (; lane.head != head; ++lane.head) {
        if (lane.entry(lane.head).kind == Entry::Kind::none) continue;
        // That of a task which ended after its grace was not taken; the death of its worker ends it. Any other is a lie.
        if (!lane.stop.hard()) refuse(lane);
        return;
    }
}

void EngineCore::tell_releases(LaneState& lane) {
    LaneMemory& memory = *lane.memory;
    std::vector<shm::Extent> read;
    {
        const std::lock_guard hold(memory.read_lock);
        if (memory.read.empty()) return;
        read.swap(memory.read);
    }
    if (lane.stopping) return;
    std::size_t told = 0;
    for (; told < read.size(); ++told) {
        shm::Request* request = next_request(lane);
        if (request == nullptr) break;
        memory.windows.forget(read[told]);
        memory.live.remove(read[told]);
        request->kind = shm::RequestKind::release;
        request->in_arena = true;
        request->extent = read[told];
        ++lane.tail;
    }
    lane.control().parent.request_tail.store(lane.tail, std::memory_order_release);
    if (told < read.size()) {
        const std::lock_guard hold(memory.read_lock);
        memory.read.insert(memory.read.end(), read.begin() + static_cast<std::ptrdiff_t>(told), read.end());
    }
}

bool EngineCore::take_record(LaneState& lane, const shm::Record& record, const std::byte* payload) {
    switch (record.kind) {
        case shm::RecordKind::task: return take_task(lane, record, payload);
        case shm::RecordKind::item: return take_item(lane, record, payload);
        case shm::RecordKind::next_item: return false;  // those are taken by the run
        case shm::RecordKind::ready:
            if (lane.ready) return false;
            if (!lane.born()) ++tally_.born;
            lane.ready = true;
            budget_.on_ready();
            return true;
        case shm::RecordKind::init_failed:
            if (lane.ready) return false;
            return take_init_failure(lane, record, payload);
    }
    return false;
}

bool EngineCore::take_init_failure(LaneState& lane, const shm::Record& record, const std::byte* payload) {
    BrokenCause cause;
    cause.kind = BrokenCause::Kind::exception;
    LargeResult* large = nullptr;
    if (record.in_arena == 0) {
        cause.exception = {payload, record.length};
    } else if (!take_large(lane, payload, large)) {
        return false;
    } else if (large != nullptr) {
        cause.exception = {large->data, large->extent.length};
    }
    break_pool(cause);
    delete large;
    return true;
}

// Its worker has shown that workers come to something.
void EngineCore::bore_fruit(LaneState& lane) {
    lane.fruitful = true;
    budget_.on_fruitful();
}

bool EngineCore::take_large(LaneState& lane, const std::byte* payload, LargeResult*& large) {
    shm::Extent extent;
    std::memcpy(&extent, payload, sizeof extent);
    LaneMemory& memory = *lane.memory;
    if (!memory.windows.plausible(extent) || !memory.live.add(extent)) return false;
    tally_.received += extent.length;
    std::byte* data = memory.windows.at(extent);
    large = nullptr;
    if (data == nullptr) {
        // The worker is told like of one that was read.
        const std::lock_guard hold(memory.read_lock);
        memory.read.push_back(extent);
        return true;
    }
    large = new LargeResult;
    large->memory = lane.memory;
    large->extent = extent;
    large->data = data;
    return true;
}

// One unit of that function has left the lane.
void EngineCore::account(LaneState& lane, std::uint32_t function) {
    --lane.live;
    const std::uint64_t each = functions_[function].estimate.ns();
    lane.queued_ns = lane.live == 0 || lane.queued_ns < each ? 0 : lane.queued_ns - each;
}

bool EngineCore::take_task(LaneState& lane, const shm::Record& record, const std::byte* payload) {
    Task* task = slab_.find(record.task);
    if (task == nullptr || state_of(*task) != TaskState::in_lane || task->lane != lane.id) return false;
    Entry& entry = lane.entry(task->position);
    if (entry.kind != Entry::Kind::task || entry.task != task) return false;
    if (stopped_hard(lane, task->position, 0)) return true;  // too late: its worker's death is its end
    LargeResult* large = nullptr;
    if (record.in_arena != 0 && !take_large(lane, payload, large)) return false;
    entry = Entry{};
    account(lane, task->function);
    functions_[task->function].estimate.observe(record.nanoseconds);
    if (record.in_arena != 0) {
        if (large == nullptr) {
            finish(task, Ending::no_memory, {});
        } else {
            finish_large(task, ending_of(record.outcome), large);
        }
    } else {
        finish(task, ending_of(record.outcome), {payload, record.length});
    }
    return true;
}

bool EngineCore::take_item(LaneState& lane, const shm::Record& record, const std::byte* payload) {
    SpanWork* span = lane.span;
    if (span == nullptr || span->number != record.task) {
        span = nullptr;
        for (std::uint32_t at = lane.head; at != lane.tail; ++at) {
            const Entry& entry = lane.entry(at);
            if (entry.kind == Entry::Kind::span && entry.span->number == record.task) {
                span = entry.span;
                break;
            }
        }
        lane.span = span;
    }
    if (span == nullptr || record.index != span->next_result || span->next_result >= span->end) return false;
    if (stopped_hard(lane, span->position, span->next_result)) return true;
    LargeResult* large = nullptr;
    if (record.in_arena != 0 && !take_large(lane, payload, large)) return false;
    Job& job = *span->job;
    FunctionInfo& info = functions_[job.function];
    const std::uint64_t each = info.estimate.ns();
    lane.queued_ns = lane.queued_ns < each ? 0 : lane.queued_ns - each;
    info.estimate.observe(record.nanoseconds);
    if (!runs_.empty()) forget_runs(&job, span->chunk->base + span->next_result);
    if (record.in_arena == 0) {
        end_item(*span, ending_of(record.outcome), false, {payload, record.length});
    } else if (large != nullptr) {
        end_item(*span, ending_of(record.outcome), true, std::as_bytes(std::span(&large, 1)));
    } else {
        end_item(*span, Ending::no_memory, false, {});
    }
    span_progress(span);
    return true;
}

// A run of items that follow the last one that came, each with a value in the ring. Their books are kept once.
bool EngineCore::take_following(LaneState& lane, shm::Record record, std::uint64_t tail) {
    SpanWork* span = lane.span;
    if (span == nullptr) return false;
    const std::uint32_t generation = lane.id >> kLaneSlotBits;
    const std::uint32_t first = span->next_result;
    bool good = true;
    for (;;) {
        good = record.in_arena == 0 && record.outcome == static_cast<std::uint8_t>(Outcome::value) &&
               span->next_result < span->end;
        if (!good) break;
        if (!stopped_hard(lane, span->position, span->next_result)) {
            const std::byte* payload = lane.memory->lane.result(lane.result_head) + shm::kShortHeader;
            append_item(*span->piece, Ending::value, false, {payload, record.length});
            ++span->next_result;
        }
        lane.result_head += shm::record_size(record.kind, record.length);
        if (lane.result_head == tail || span->next_result == span->end) break;
        std::memcpy(&record, lane.memory->lane.result(lane.result_head), shm::kShortHeader);
        if (record.kind != shm::RecordKind::next_item) break;
        good = plausible(record, tail - lane.result_head, generation);
        if (!good) break;
    }
    const std::uint32_t count = span->next_result - first;
    if (count == 0) return good;
    const std::uint64_t each = functions_[span->job->function].estimate.ns() * count;
    lane.queued_ns = lane.queued_ns < each ? 0 : lane.queued_ns - each;
    for (std::uint32_t item = first; item != span->next_result && !runs_.empty(); ++item)
        forget_runs(span->job, span->chunk->base + item);
    end_items(*span->job, *span->chunk, Ending::value, count);
    span_progress(span);
    return good;
}

// More items of the span have an ending.
void EngineCore::span_progress(SpanWork* span) {
    Job& job = *span->job;
    if (job.waited) wake_waiters(nullptr, &job);
    if (span->next_result < span->end) return;
    if (LaneState* lane = lane_of(span->lane)) {
        Entry& entry = lane->entry(span->position);
        if (entry.kind == Entry::Kind::span && entry.span == span) {
            entry = Entry{};
            --lane->live;
            if (lane->live == 0) lane->queued_ns = 0;
        }
    }
    span_over(span);
}

void EngineCore::refuse(LaneState& lane) {
    lane.refused = true;
    lane.stopping = true;
    supervisor_->signal_worker(lane.id, os::kSigKill);
}

void EngineCore::finish(Task* task, Ending ending, std::span<const std::byte> bytes) {
    if ((task->flags & kInputInArena) != 0) {
        input_arena_.release(task->storage.extent);
        task->flags &= static_cast<std::uint8_t>(~kInputInArena);
    }
    task->ending = ending;
    if (bytes.size() <= sizeof task->storage.bytes) {
        task->length = static_cast<std::uint8_t>(bytes.size());
        if (!bytes.empty()) std::memcpy(task->storage.bytes, bytes.data(), bytes.size());
    } else {
        auto* copy = new (std::nothrow) std::byte[bytes.size()];
        if (copy == nullptr) {
            task->ending = Ending::no_memory;
            task->length = 0;
        } else {
            std::memcpy(copy, bytes.data(), bytes.size());
            task->storage.heap = {copy, bytes.size()};
            task->flags |= kResultOnHeap;
        }
    }
    done(task);
}

void EngineCore::finish_large(Task* task, Ending ending, LargeResult* large) {
    if ((task->flags & kInputInArena) != 0) input_arena_.release(task->storage.extent);
    task->flags = static_cast<std::uint8_t>((task->flags & ~kInputInArena) | kResultLarge);
    task->ending = ending;
    task->storage.large = large;
    done(task);
}

void EngineCore::finish_dead(Task* task, Ending ending, const WorkerDeath& death) {
    if ((task->flags & kInputInArena) != 0) input_arena_.release(task->storage.extent);
    task->flags &= static_cast<std::uint8_t>(~kInputInArena);
    task->ending = ending;
    task->storage.death = new (std::nothrow) WorkerDeath(death);
    done(task);
}

void EngineCore::done(Task* task) {
    --outstanding_;
    tally_.count(task->ending);
    if (task->limits != 0) {
        limited_ends(task->limits);
        if (!runs_.empty()) forget_runs(task, 0);
    }
    FunctionInfo& info = functions_[task->function];
    if (--info.pending == 0 && info.forgotten) forget_if_unused(task->function);
    const std::uint8_t flags = task->flags;
    set_state(*task, TaskState::done);
    if ((flags & kSubscribed) != 0) {
        const auto subscriber = subscribers_.find(task);
        notices_.push_back(subscriber->second);
        subscribers_.erase(subscriber);
        wake_collector();
    }
    if ((flags & kWaited) != 0) wake_waiters(task, nullptr);
    release(task);  // the engine's reference
}

}  // namespace hardwork
