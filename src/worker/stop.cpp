#include "worker/stop.hpp"

#include "hardwork/worker.hpp"

namespace hardwork {

StopReason stop_requested() {
    const shm::Control* control = running_here.control.load(std::memory_order_acquire);
    if (control == nullptr) return StopReason::none;
    const auto phase = static_cast<Phase>(control->worker.phase.load(std::memory_order_relaxed));
    if (phase != Phase::decode && phase != Phase::run && phase != Phase::encode) return StopReason::none;
    const std::uint64_t running = shm::execution_of(control->worker.position.load(std::memory_order_relaxed),
                                                    running_here.item.load(std::memory_order_relaxed));
    if (control->parent.stop.load(std::memory_order_acquire) != running) return StopReason::none;
    const auto reason = static_cast<StopReason>(control->parent.stop_reason.load(std::memory_order_acquire));
    if (reason == StopReason::none) return StopReason::none;
    if (running_here.told.exchange(running, std::memory_order_relaxed) == running) return StopReason::none;
    return reason;
}

}  // namespace hardwork
