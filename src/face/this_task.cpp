#include "hardwork/this_task.hpp"

#include <atomic>

#include "face/stopping.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/worker.hpp"

namespace hardwork {

namespace {

// The engine answers once for each task; here the answer stays, since code may ask in many places.
std::atomic<StopReason> told{StopReason::none};

StopReason reason() noexcept {
    const StopReason before = told.load(std::memory_order_relaxed);
    if (before != StopReason::none) return before;
    const StopReason now = stop_requested();
    if (now != StopReason::none) told.store(now, std::memory_order_relaxed);
    return now;
}

}  // namespace

void face::begin_task() noexcept { told.store(StopReason::none, std::memory_order_relaxed); }

bool this_task::stop_requested() noexcept { return reason() != StopReason::none; }

void this_task::throw_if_stopped() {
    switch (reason()) {
        case StopReason::none: return;
        case StopReason::timeout: throw TaskTimeout();
        case StopReason::request: throw TaskStopped();
        case StopReason::memory: throw WorkerMemoryExceeded();
    }
}

}  // namespace hardwork
