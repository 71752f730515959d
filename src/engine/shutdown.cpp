// The end of a pool: no more submits, what is outstanding finishes (or is cancelled), workers are told to stop.
#include <algorithm>
#include <utility>

#include "engine/core.hpp"
#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/futex.hpp"

namespace hardwork {

namespace {
// One that is being born has no process yet that could be killed.
constexpr std::uint64_t kKillAgainNs = 10'000'000;
}  // namespace

bool EngineCore::nothing_outstanding() const { return outstanding_ == 0 && jobs_ == 0; }

void EngineCore::begin_shutdown(Shutdown how) {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    shutting_down_ = true;
    terminating_ = terminating_ || how == Shutdown::terminate;
    if (!broken_) closed_.store(static_cast<int>(Errc::shut_down), std::memory_order_relaxed);
    if (how != Shutdown::finish) drop_all(Ending::cancelled, how == Shutdown::cancel_waiting);
    wake_collector();
}

void EngineCore::send_stops() {
    for (const auto& lane : lanes_) {
        if (lane == nullptr || lane->stopping) continue;
        shm::Request* request = next_request(*lane);
        if (request == nullptr) continue;  // tried again when its worker has gone on
        request->kind = shm::RequestKind::stop;
        ++lane->tail;
        lane->stopping = true;
        HARDWORK_FAULT_POINT();
        publish(*lane);
    }
}

// Ends all that has not started, or, for a broken pool, everything. What workers that are being born would begin with
// may be left to them.
void EngineCore::drop_all(Ending ending, bool but_first) {
    std::size_t leave = 0;  // of the backlog
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        bool keep = but_first && lane->open() && !lane->ready;
        for (std::uint32_t at = lane->head; at != lane->tail; ++at) {
            Entry& entry = lane->entry(at);
            if (entry.kind != Entry::Kind::task) continue;
            if (std::exchange(keep, false)) continue;
            Task* task = entry.task;
            const bool taken = shm::claim_task(lane->memory->lane.request(at).claim, shm::kTaken);
            if (!taken && ending != Ending::broken) continue;
            entry = Entry{};
            account(*lane, task->function);
            finish(task, ending, {});
        }
        leave += keep ? 1U : 0U;
    }
    std::vector<Task*> left;
    while (Task* task = pop_task()) {
        if (left.size() < leave) {
            left.push_back(task);
        } else {
            finish(task, ending, {});
        }
    }
    while (!left.empty()) {
        queue_front(left.back());
        left.pop_back();
    }
    const std::vector<Job*> jobs = all_jobs_;
    for (Job* job : jobs) {
        // Whoever still adds to it finds that no more is wanted.
        job->cut_off = job->cut_off || !job->sealed;
        job->sealed = true;
        if (!job->cancelled && (job->cut_off || job->finished != job->items)) cancel_job(*job);
        free_job_if_over(job);
    }
}

void EngineCore::end_workers(std::uint64_t grace_ns) {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    kill_from_ = std::min(kill_from_, os::now_ns() + grace_ns);
    wake_collector();
}

// By the collector, whenever it runs: a task may come back to the backlog (its worker had not begun it, or it has
// retries), and a worker may be born for it. Returns when that is next to be done.
std::uint64_t EngineCore::end_workers_now() {
    if (kill_from_ == os::kNoDeadline) return os::kNoDeadline;
    drop_all(Ending::cancelled);
    const std::uint64_t now = os::now_ns();
    if (now < kill_from_) return kill_from_;
    for (const auto& lane : lanes_) {
        if (lane != nullptr) supervisor_->signal_worker(lane->id, os::kSigKill);
    }
    return now + kKillAgainNs;
}

WaitEnd EngineCore::wait_stopped(std::uint64_t deadline_ns) {
    if (!in_owner_process()) return WaitEnd::done;
    while (stopped_word_.load(std::memory_order_acquire) == 0) {
        const os::Wake wake = os::futex_wait(stopped_word_, 0, deadline_ns);
        if (stopped_word_.load(std::memory_order_acquire) != 0) break;
        if (wake == os::Wake::timeout) return WaitEnd::timeout;
        if (wake == os::Wake::interrupted) return WaitEnd::interrupted;
    }
    return WaitEnd::done;
}

}  // namespace hardwork
