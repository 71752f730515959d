// What one worker shares with the parent, and with nobody else: one sealed memfd.
//
//   [control page][request ring][result ring, mapped twice in a row][result arena, sparse, windows mapped when used]
//
// Every field below says who writes it. A field that the worker writes is a claim, not a fact: the parent checks it.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "base/result.hpp"
#include "os/life.hpp"
#include "os/memory.hpp"
#include "shm/record.hpp"
#include "shm/request.hpp"

namespace hardwork::shm {

using base::Result;

inline constexpr std::uint32_t kRequestSlots = 1024;
inline constexpr std::uint64_t kResultRingSize = 256 * 1024;
inline constexpr std::uint32_t kMaxInlineResult = 32 * 1024;  // larger results go by the result arena
inline constexpr std::uint64_t kResultArenaSize = std::uint64_t{1} << 40;
inline constexpr std::uint64_t kInputArenaSize = std::uint64_t{1} << 40;

// What the parent wants to be woken for: the low bits of ParentLine::want. The bits above count how often a thread of
// the parent went to sleep; a worker rings once for each count, not once for each record.
inline constexpr std::uint32_t kWantMask = 7;
inline constexpr std::uint32_t kWantEpoch = 8;
inline constexpr std::uint32_t kWantCaller = 1;     // a caller sleeps: ring caller_bell at each record
inline constexpr std::uint32_t kWantCollector = 2;  // somebody subscribed: ring collector_bell at each record
inline constexpr std::uint32_t kWantIdle = 4;       // work waits elsewhere: ring collector_bell before sleeping

// Written once by the parent before the worker exists.
struct LaneInfo {
    std::uint32_t magic;
    std::uint32_t version;
    std::uint32_t lane;
    std::uint32_t generation;
    std::uint32_t max_tasks;     // the worker ends after so many; 0: no limit
    std::uint32_t spin_ns;       // how long the worker looks for work before it sleeps; 0 on one CPU
    std::uint32_t span_is_task;  // 1: max_tasks counts spans, not their items
    std::uint32_t unused;
    std::uint64_t ticks_per_1024ns;
    std::uint64_t max_memory;  // bytes resident: with more the worker ends after its task; 0: no limit
};

// One execution: the request at a ring position, and of a span the item.
constexpr std::uint64_t execution_of(std::uint32_t position, std::uint32_t item) {
    return (std::uint64_t{position} << 32) | item;
}

// Written by the parent, read by the worker. If the parent dies the worker ends; nothing here matters then.
struct alignas(kCacheLine) ParentLine {
    Atomic<std::uint32_t> request_tail;  // requests published, ever (wraps)
    Atomic<std::uint32_t> want;          // kWant... bits and the epoch
    Atomic<std::uint64_t> result_head;   // bytes consumed, ever; the worker may overwrite what lies before
    Atomic<std::int32_t> cpu;            // where the parent last looked for results; -1: it does not spin
    Atomic<std::uint32_t> work_bell;     // futex: the worker sleeps here (also when the result ring is full)
    Atomic<std::uint64_t> stop;          // which execution shall end: see execution_of
    Atomic<std::uint32_t> stop_reason;   // hardwork::StopReason of that one; none until somebody is stopped
};

// Parent: that execution shall end. A worker that reads `stop`, then `stop_reason`, never takes an earlier one's reason for
// this one's: it reads none, and the new one when it looks again.
inline void ask_to_stop(ParentLine& parent, std::uint64_t execution, std::uint32_t reason) {
    parent.stop_reason.store(0, std::memory_order_relaxed);
    parent.stop.store(execution, std::memory_order_release);
    parent.stop_reason.store(reason, std::memory_order_release);
}

// Written by the worker, read by the parent. After the worker's death the last store of each stands: see ledger rules
// in engine/burial.hpp.
struct alignas(kCacheLine) WorkerLine {
    Atomic<std::uint32_t> request_head;  // requests done with, ever (wraps): their slots may be reused
    Atomic<std::uint32_t> phase;         // hardwork::Phase
    Atomic<std::uint64_t> result_tail;   // bytes published, ever: whole records only
    Atomic<std::uint32_t> position;      // ring position of the request that `phase` speaks of
    Atomic<std::uint64_t> begun;         // os::ticks() when the last execution with a time limit began: before DECODE
};

// Written by the worker, seldom: a line that stays in the parent's cache while tasks stream. The parent looks at
// `sleeping` after each request, its threads sleep on the bells (futex words). A dead worker rings no bell: its pidfd
// tells the supervisor instead.
struct alignas(kCacheLine) BellLine {
    Atomic<std::uint32_t> sleeping;        // 1: ring work_bell; set before the last look at the tail
    Atomic<std::uint32_t> blocked;         // 1: the result ring is full, ring work_bell when you have read
    Atomic<std::int32_t> cpu;              // where the worker looked for work; the parent does not spin on the same CPU
    Atomic<std::uint32_t> caller_bell;     // for a caller that waits
    Atomic<std::uint32_t> collector_bell;  // for the collector
};

// Held by the worker's main thread while it works, marked by the kernel when that thread ends: read by the parent's threads,
// which sleep on them. A hint, that only says when to ask the kernel. Two, since of those that sleep on one the kernel wakes
// one: who waits for a result shall not have to be told by the collector.
struct alignas(kCacheLine) LifeLine {
    os::LifeMark collector_mark;
    os::LifeMark caller_mark;

    void prepare() {
        collector_mark.prepare();
        caller_mark.prepare();
    }
    // The kernel marks first what was locked last.
    void hold() {
        collector_mark.hold();
        caller_mark.hold();
    }
    void let_go() {
        caller_mark.let_go();
        collector_mark.let_go();
    }
};

struct Control {
    LaneInfo info;
    ParentLine parent;
    WorkerLine worker;
    BellLine bells;
    LifeLine life;
};
static_assert(sizeof(Control) <= 4096, "the control block is one page");

// A mapping of the fixed part of a lane, in the parent or in its worker.
class Lane {
  public:
    // Parent: makes the memory and its mapping. The descriptor is to be handed to the worker.
    static Result<Lane> create(const LaneInfo& info, os::Fd& memory);
    // Worker: maps what it was given; checks magic and version.
    static Result<Lane> attach(int memory_fd);

    Control& control() const { return *reinterpret_cast<Control*>(fixed_.data()); }
    Request& request(std::uint32_t position) const { return requests_[position % kRequestSlots]; }
    // Result bytes from ring position `at` on; contiguous for kResultRingSize bytes.
    std::byte* result(std::uint64_t at) const { return ring_.data() + at % kResultRingSize; }

    static std::uint64_t result_arena_offset();  // where the result arena begins in the memory

  private:
    os::Mapping fixed_;  // control page and request ring
    os::Mapping ring_;
    Request* requests_ = nullptr;
};

}  // namespace hardwork::shm
