// Tasks in; what a handle can ask and do.
#include <cstring>
#include <utility>

#include "engine/core.hpp"
#include "os/clock.hpp"

namespace hardwork {

namespace {
// How many submits go by before the submitter looks at the rings: a look costs a cache miss a lane.
constexpr std::uint32_t kSubmitsPerDrain = 32;
}  // namespace

Task* EngineCore::submit(std::uint32_t function, Input& input, std::uint32_t limits, Error& why) {
    if (!in_owner_process()) {
        why = Error{Errc::forked, 0, "the pool belongs to the process that made it, not to a fork of it"};
        return nullptr;
    }
    const std::lock_guard hold(mutex_);
    if (broken_ || shutting_down_) {
        why = Error{broken_ ? Errc::broken : Errc::shut_down, 0, "submit"};
        return nullptr;
    }
    Task* task = slab_.take();
    if (task == nullptr) {
        why = Error{Errc::out_of_memory, 0, "submit"};
        return nullptr;
    }
    task->refs.store(2, std::memory_order_relaxed);
    task->function = function;
    task->flags = 0;
    task->limits = static_cast<std::uint16_t>(limits);
    if (limits != 0) limited_begins(limits);
    if (options_.max_memory_per_worker != 0) watch_memory();
    if (input.in_arena) {
        task->flags = kInputInArena;
        task->storage.extent = {input.offset, input.length};
    } else {
        task->length = static_cast<std::uint8_t>(input.length);
        std::memcpy(task->storage.bytes, input.small, sizeof task->storage.bytes);
    }
    tally_.sent += input.length;
    input.data = nullptr;
    FunctionInfo& info = functions_[function];
    ++info.pending;
    ++outstanding_;
    set_state(*task, TaskState::queued);
    if (backlog_head_ == nullptr && span_backlog_.empty() && open_jobs_.empty()) {
        LaneState* lane = lane_for(info.estimate, outstanding_);
        if (lane != nullptr && give_task(*lane, task)) {
            publish(*lane);
            if (++since_drain_ >= kSubmitsPerDrain) {
                since_drain_ = 0;
                if (drain()) fill();
            }
            return task;
        }
    }
    task->next = nullptr;
    (backlog_tail_ != nullptr ? backlog_tail_->next : backlog_head_) = task;
    backlog_tail_ = task;
    ++backlog_size_;
    if (++since_drain_ >= kSubmitsPerDrain || !info.estimate.known()) {
        since_drain_ = 0;
        drain();
        fill();
    }
    if (options_.on_demand || births_at_ != os::kNoDeadline) keep_workers();
    if (backlog_head_ != nullptr) arm_idle();
    return task;
}

Errc EngineCore::closed() const {
    const auto errc = static_cast<Errc>(closed_.load(std::memory_order_acquire));
    return errc == Errc::ok && !in_owner_process() ? Errc::forked : errc;
}

bool EngineCore::is_running(const Task* task) {
    const std::lock_guard hold(mutex_);
    if (drain()) fill();
    if (state_of(*task) != TaskState::in_lane) return false;
    LaneState* lane = lane_of(task->lane);
    if (lane == nullptr) return false;
    const auto& claim = lane->memory->lane.request(task->position).claim;
    return claim.load(std::memory_order_acquire) == shm::kClaimed;
}

bool EngineCore::cancel(Task* task) {
    if (!in_owner_process()) return false;
    const std::lock_guard hold(mutex_);
    return cancel_unstarted(task);
}

bool EngineCore::cancel_unstarted(Task* task) {
    switch (state_of(*task)) {
        case TaskState::free:
        case TaskState::done: return false;
        case TaskState::in_lane: {
            LaneState* lane = lane_of(task->lane);
            if (lane == nullptr) return false;
            if (take_back_task(*lane, task->position) == nullptr) return false;
            finish(task, Ending::cancelled, {});
            return true;
        }
        case TaskState::queued:
            // It stays linked in the backlog, which drops it when it comes to it: one more reference until then.
            task->refs.fetch_add(1, std::memory_order_relaxed);
            finish(task, Ending::cancelled, {});
            return true;
    }
    return false;
}

TaskResult EngineCore::result(Task* task) {
    TaskResult result;
    result.ending = task->ending;
    if (has_death(task->ending)) {
        if (task->storage.death != nullptr) result.death = *task->storage.death;
    } else if ((task->flags & kResultLarge) != 0) {
        result.bytes = {task->storage.large->data, task->storage.large->extent.length};
        result.in_lane = true;
    } else if ((task->flags & kResultOnHeap) != 0) {
        result.bytes = {task->storage.heap.data, task->storage.heap.length};
    } else if (task->ending == Ending::broken) {
        result.bytes = cause_.exception;  // written once, before any task ended so
    } else {
        result.bytes = {task->storage.bytes, task->length};
    }
    return result;
}

void EngineCore::drop_result(Task* task) {
    if (has_death(task->ending)) {
        delete std::exchange(task->storage.death, nullptr);
    } else if ((task->flags & kResultLarge) != 0) {
        delete task->storage.large;
    } else if ((task->flags & kResultOnHeap) != 0) {
        delete[] task->storage.heap.data;
    }
    task->flags &= static_cast<std::uint8_t>(~(kResultLarge | kResultOnHeap));
    task->length = 0;
}

void EngineCore::release(Task* task) {
    // Who holds the only reference needs no locked instruction: nobody else could take one.
    if (task->refs.load(std::memory_order_acquire) != 1 && task->refs.fetch_sub(1, std::memory_order_acq_rel) != 1)
        return;
    // The last reference goes only after the task is done: the engine's own is dropped then.
    drop_result(task);
    slab_.put_back(task);
}

bool EngineCore::subscribe(Task* task, void* cookie) {
    const std::lock_guard hold(mutex_);
    if (state_of(*task) == TaskState::done) return false;
    task->flags |= kSubscribed;
    subscribers_.emplace(task, cookie);
    listen();
    return true;
}

// One more subscriber: from the first on, workers wake the collector for each result.
void EngineCore::listen() {
    if (subscriptions_++ != 0) return;
    for (const auto& lane : lanes_) {
        if (lane != nullptr) add_want(*lane, shm::kWantCollector);
    }
    full_fence();
    if (drain()) fill();
}

bool EngineCore::notify(void* cookie) {
    const std::lock_guard hold(mutex_);
    if (stopped_) return false;
    ++subscriptions_;
    notices_.push_back(cookie);
    wake_collector();
    return true;
}

std::uint64_t EngineCore::outstanding() {
    if (!in_owner_process()) return 0;
    const std::lock_guard hold(mutex_);
    if (drain()) fill();
    return outstanding_ + jobs_;
}

}  // namespace hardwork
