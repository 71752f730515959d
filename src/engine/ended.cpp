// Workers that the kernel has marked as ended in their lanes: their memory is still being freed, and the supervisor does not
// know yet. Found by the collector, or by the caller that listens for all who wait, whoever wakes first.
#include <utility>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/life.hpp"

namespace hardwork {

namespace {
// By then the memory of one that was killed for want of it has come back.
constexpr std::uint64_t kMemoryBackNs = 1'000'000'000;
}  // namespace

// Sees to one such worker. True if the lock was let go.
bool EngineCore::find_ended(std::unique_lock<std::mutex>& hold, Finder finder) {
    const bool caller = finder == Finder::caller;
    for (const auto& lane : lanes_) {
        if (lane == nullptr || (caller && lane->live == 0)) continue;  // nobody waits for an idle one
        const auto& word = caller ? lane->caller_life_word() : lane->life_word();
        const std::uint32_t life = word.load(std::memory_order_acquire);
        const bool again = !caller && lane->end_at != 0 && lane->end_at <= os::now_ns();
        const bool seen = life == std::exchange(caller ? lane->caller_life : lane->life, life) && !again;
        if (seen || !os::LifeMark::ended(life) || lane->pid == 0) continue;
        const std::uint32_t id = lane->id;
        const std::int32_t pid = lane->pid;
        lane->end_at = 0;
        hold.unlock();
        // One that the out-of-memory killer has chosen gives its memory back first. What this process took meanwhile might
        // cost its own life: the kernel no longer counts that worker among those who are about to give some. Its pidfd tells
        // then; but if it was another that was chosen, this one may have lost its main thread only, and never end.
        if (!again && memory_is_short()) {
            hold.lock();
            if (LaneState* const still = lane_of(id)) still->end_at = os::now_ns() + kMemoryBackNs;
            if (caller) wake_collector();  // it is who looks again
            return true;
        }
        const auto status = os::ending_status(pid);
        // One that can be signalled has not been reaped: that is the worker's status, and not of who got its number.
        hold.lock();
        if (!status || supervisor_ == nullptr || !supervisor_->signal_worker(id, 0)) return true;
        if (status->kind != ExitStatus::Kind::unknown) {
            hold.unlock();
            on_death(id, pid, *status);
            hold.lock();
        }
        // A task that ended the main thread only: the others live on.
        if (supervisor_ != nullptr) supervisor_->signal_worker(id, os::kSigKill);
        return true;
    }
    return false;
}

// Whether there has been an out-of-memory kill that is not yet put down to a death.
bool EngineCore::memory_is_short() {
    const std::lock_guard one_at_a_time(deaths_mutex_);
    return oom_.moved();
}

}  // namespace hardwork
