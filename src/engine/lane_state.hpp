// The parent's ledger of one lane: what it gave to that worker, at which ring position, and what has come back.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "engine/job.hpp"
#include "engine/task.hpp"
#include "os/fd.hpp"
#include "os/generation.hpp"
#include "os/memory.hpp"
#include "sched/placement.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"
#include "shm/live_extents.hpp"

namespace hardwork {

// A lane's memory outlives its worker while somebody still has to read a large result from it.
struct LaneMemory {
    shm::Lane lane;
    os::Fd fd;
    shm::Windows windows;   // of the result arena; under the engine's lock
    shm::LiveExtents live;  // large results not yet given back; under the engine's lock

    // Large results that have been read, by whatever thread; the engine tells the worker when it next looks.
    std::mutex read_lock;
    std::vector<shm::Extent> read;

    LaneMemory() = default;
    LaneMemory(const LaneMemory&) = delete;
    LaneMemory& operator=(const LaneMemory&) = delete;
    // Its worker has ended. A process that was forked meanwhile may hold the descriptor for ever (the template of another
    // pool, say): the pages go all the same. In such a process nothing is touched: the lane is its owner's.
    ~LaneMemory() {
        if (!fd || generation != os::process_generation()) return;
        os::punch_hole(fd.get(), 0, shm::Lane::result_arena_offset() + shm::kResultArenaSize);
    }
    const std::uint32_t generation = os::process_generation();
};

// A result in a lane's arena: read in place; its end gives the memory back to the worker. In a fork of the parent, where the
// lock may be held for ever, it does not.
struct LargeResult {
    std::shared_ptr<LaneMemory> memory;
    shm::Extent extent{};
    std::byte* data = nullptr;

    LargeResult() = default;
    LargeResult(const LargeResult&) = delete;
    LargeResult& operator=(const LargeResult&) = delete;
    ~LargeResult() {
        if (memory->generation != os::process_generation()) return;
        const std::lock_guard hold(memory->read_lock);
        memory->read.push_back(extent);
    }
};

// What stands at one ring position.
struct Entry {
    enum class Kind : std::uint8_t { none, task, span } kind = Kind::none;
    Task* task = nullptr;
    SpanWork* span = nullptr;
};

inline constexpr std::uint32_t kLaneSlotBits = 10;
inline constexpr std::uint32_t kMaxWorkers = 1U << kLaneSlotBits;

// How far the end of a running task has been driven:
//
//   none --limit reached, or asked--> soft --grace over--> terminated --a moment later--> killed
//    ^                                 |
//    +------- the task has ended ------+      from `terminated` on its results are not taken any more
enum class StopStage : std::uint8_t { none, soft, terminated, killed };

struct Stopping {
    StopStage stage = StopStage::none;
    StopReason reason = StopReason::none;
    std::uint64_t execution = 0;  // shm::execution_of
    std::uint64_t next_at = 0;    // now_ns() of the next stage
    std::uint64_t again_at = 0;   // in `soft`: when the signal is sent once more
    bool hard() const { return stage >= StopStage::terminated; }
    Ending ending() const {
        switch (reason) {
            case StopReason::timeout: return Ending::timed_out;
            case StopReason::memory: return Ending::memory_exceeded;
            case StopReason::none:
            case StopReason::request: break;
        }
        return Ending::stopped;
    }
    DeathCause cause() const {
        switch (reason) {
            case StopReason::timeout: return DeathCause::time_limit;
            case StopReason::memory: return DeathCause::memory_limit;
            case StopReason::none:
            case StopReason::request: break;
        }
        return DeathCause::stopped;
    }
};

// Since when a worker has not gone on, and where it was then: a number made of all that it says of itself.
struct Stuck {
    std::uint64_t since = 0;  // 0: it does go on
    std::uint64_t where = 0;
};

// Time that does not count for an execution, since this process did not run either.
struct Excuse {
    std::uint64_t execution = ~std::uint64_t{0};
    std::uint64_t ns = 0;
};

struct LaneState {
    std::uint32_t id = 0;  // generation above, slot in the low bits: a lane that has died never has its id again
    std::int32_t pid = 0;
    bool ready = false;     // READY came: its worker takes work
    bool stopping = false;  // STOP was sent, or its worker is being killed: gets nothing any more
    bool refused = false;   // wrote a record that cannot be
    bool fruitful = false;  // has published a result, or a task was lost with it
    std::shared_ptr<LaneMemory> memory;

    std::uint32_t tail = 0;                      // requests published
    std::uint32_t head = 0;                      // requests the worker is done with, as far as checked
    std::uint64_t result_head = 0;               // bytes read
    std::uint32_t live = 0;                      // tasks and spans given and not finished
    std::uint64_t queued_ns = 0;                 // estimate of the work they are
    std::uint64_t progress_at = 0;               // when a record was last read or the first request given; now_ns()
    std::uint32_t life = 0;                      // the collector's word of LifeLine, as last looked at
    std::uint32_t caller_life = 0;               // ... the callers'
    std::uint64_t end_at = 0;                    // now_ns() when its end is to be looked at again; 0: not at all
    std::uint32_t want = 0;                      // what ParentLine::want holds
    Stopping stop;                               // of the task that it runs
    Stuck stuck;                                 // it has work, and has not begun with it
    Excuse excuse;                               // of what it runs
    SpanWork* span = nullptr;                    // whose item came last: most records are of the same
    std::vector<std::uint64_t> known_functions;  // bit set by function number
    std::vector<std::pair<std::uint32_t, std::uint32_t>> definitions;  // of those: ring position and number
    std::uint32_t deadly = 0;  // the function that ends each worker which is told of it
    std::array<Entry, shm::kRequestSlots> entries{};

    Entry& entry(std::uint32_t position) { return entries[position % shm::kRequestSlots]; }
    shm::Control& control() const { return memory->lane.control(); }
    std::uint32_t room() const { return shm::kRequestSlots - (tail - head); }
    // Its worker exists: the supervisor has said so, or the worker itself, whose READY may be read before.
    bool born() const { return pid != 0 || ready; }
    bool open() const { return !stopping; }
    bool idle() const { return open() && live == 0; }
    const Atomic<std::uint32_t>& life_word() const { return control().life.collector_mark.word(); }
    const Atomic<std::uint32_t>& caller_life_word() const { return control().life.caller_mark.word(); }
    // What its worker says that it is doing.
    Phase phase() const { return static_cast<Phase>(control().worker.phase.load(std::memory_order_acquire) & 7); }
    sched::LaneLoad load() const { return {live, queued_ns, ready}; }
};

}  // namespace hardwork
