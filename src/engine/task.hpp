// One call, as the parent keeps it: 56 bytes. Its state machine, drawn once:
//
//              submit            dispatch              record read
//   (free) ------------> QUEUED -----------> IN_LANE ---------------> DONE --release--> (free)
//                          |  ^                 |  |                   ^
//                   cancel |  +-- taken back, --+  +-- worker died ----+  (a task that was running)
//                          v      or worker died       (after CLAIM)   |
//                        DONE       before DECODE                      |
//                     (cancelled) <--- cancel, if taken back in time ---+
//
// All fields but `state` and `refs` are under the engine's lock until the task is done; afterwards they only change by
// release. `storage` holds the input until the task is done, then the result.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "hardwork/engine.hpp"
#include "shm/request.hpp"

namespace hardwork {

enum class TaskState : std::uint8_t { free, queued, in_lane, done };

struct LargeResult;

struct Task {
    Atomic<std::uint8_t> state;  // TaskState; `done` is stored last, with release
    Ending ending;
    std::uint8_t length;         // of an inline payload
    std::uint8_t flags;          // kInput..., kResult..., kSubscribed, kWaited
    Atomic<std::uint16_t> refs;  // the engine's until done, the handle's
    std::uint16_t limits;        // a number from EngineCore::limits; 0: none
    std::uint32_t function;
    std::uint32_t generation;  // counts the uses of this slot, so that a late record is not taken for a new task
    std::uint32_t lane;        // while in_lane
    std::uint32_t position;    // ring position there
    Task* next;                // in the backlog, or in the free list
    union {
        std::byte bytes[24];
        shm::Extent extent;  // input in the arena
        struct {
            std::byte* data;  // result on the heap
            std::uint64_t length;
        } heap;
        LargeResult* large;  // result in a lane's arena
        WorkerDeath* death;
    } storage;
};
static_assert(sizeof(Task) == 56, "a pending future's memory is promised in the README");

inline constexpr std::uint8_t kInputInArena = 1;
inline constexpr std::uint8_t kResultOnHeap = 2;
inline constexpr std::uint8_t kResultLarge = 4;
inline constexpr std::uint8_t kSubscribed = 8;
inline constexpr std::uint8_t kWaited = 16;  // a thread sleeps until this task is done

// Endings whose storage is a WorkerDeath.
constexpr bool has_death(Ending ending) {
    return ending == Ending::worker_died || ending == Ending::timed_out || ending == Ending::stopped ||
           ending == Ending::memory_exceeded;
}

inline TaskState state_of(const Task& task) {
    return static_cast<TaskState>(task.state.load(std::memory_order_acquire));
}
inline void set_state(Task& task, TaskState state) {
    task.state.store(static_cast<std::uint8_t>(state), std::memory_order_release);
}

}  // namespace hardwork
