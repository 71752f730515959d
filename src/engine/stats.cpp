// What is counted, and what a worker's end counts as.
#include <algorithm>
#include <numeric>

#include "engine/core.hpp"
#include "os/codes.hpp"

namespace hardwork {

void Tally::count(DeathCause cause, int value) {
    const auto known = std::find_if(
        died.begin(), died.end(), [&](const Deaths& deaths) { return deaths.cause == cause && deaths.value == value; });
    if (known == died.end()) {
        died.push_back({cause, value, 1});
    } else {
        ++known->count;
    }
}

PoolStats EngineCore::stats() {
    PoolStats stats;
    if (!in_owner_process()) return stats;
    const std::lock_guard hold(mutex_);
    if (drain()) fill();
    const auto ended = [this](Ending ending) { return tally_.ended[static_cast<std::size_t>(ending)]; };
    stats.done = ended(Ending::value);
    stats.cancelled = ended(Ending::cancelled);
    const std::uint64_t all = std::accumulate(tally_.ended.begin(), tally_.ended.end(), std::uint64_t{0});
    stats.failed = all - stats.done - stats.cancelled;
    stats.submitted = all + outstanding_;
    for (const Job* job : all_jobs_)
        stats.submitted += job->items - job->finished;
    stats.retried = tally_.retried;
    stats.requeued = tally_.requeued;
    for (const auto& lane : lanes_)
        stats.workers_alive += lane != nullptr && lane->born() ? 1U : 0U;
    stats.workers_born = tally_.born;
    stats.workers_retired = tally_.retired;
    stats.workers_died = tally_.died;
    stats.workers_restarted = tally_.restarted;
    stats.bytes_sent = tally_.sent;
    stats.bytes_received = tally_.received;
    return stats;
}

// A worker's process has ended.
bool EngineCore::count_end(const LaneState& lane, const WorkerDeath& death) {
    if (lane.pid == 0) return true;  // it was never known
    ++tally_.to_replace;
    const bool limited = options_.max_tasks_per_worker != 0 || options_.max_memory_per_worker != 0;
    const bool between_tasks = lane.ready && death.phase <= Phase::claim;
    if (lane.refused) {
        tally_.count(DeathCause::bad_record, 0);
    } else if (lane.stop.hard()) {
        tally_.count(lane.stop.cause(), 0);
    } else if (death.out_of_memory) {
        tally_.count(DeathCause::out_of_memory, 0);
    } else if (death.status.kind == ExitStatus::Kind::signaled) {
        tally_.count(DeathCause::signaled, death.status.value);
    } else if (death.status.kind == ExitStatus::Kind::unknown) {
        tally_.count(DeathCause::unknown, 0);
    } else if (death.status.value == 0 && between_tasks && (lane.stopping || limited)) {
        ++tally_.retired;
        return false;
    } else {
        tally_.count(DeathCause::exited, death.status.value);
    }
    return true;
}

}  // namespace hardwork
