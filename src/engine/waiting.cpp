// Callers that wait do the work: they drain the rings themselves, spin a little, then sleep.
#include <algorithm>
#include <climits>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/cpu.hpp"
#include "os/futex.hpp"
#include "sched/batch.hpp"

namespace hardwork {

namespace {
// Who has a long way to go reads in bulk: it sleeps while results gather, instead of taking the CPU from the workers for
// each one. It gives up no more than this part of the time that the work still takes, and no more than so long.
constexpr std::uint64_t kGatherPart = 16;
constexpr std::uint64_t kLongestForTask = 1'000'000;
constexpr std::uint64_t kLongestForMap = 10'000'000;
// Items this long do not come often enough to disturb anybody.
constexpr std::uint64_t kNoGatherNs = 1'000'000;
constexpr std::uint64_t kShortestGatherNs = 20'000;  // less is not worth a sleep
// A result ring holds some 5,000 small results: its worker must not come to wait for the reader.
constexpr std::uint64_t kGatherItems = 3000;

// A task this long is not worth spinning for: a wake-up costs less than the CPU it takes from the workers.
constexpr std::uint64_t kSpinWorthNs = 40'000;
// While a worker has something that it has not begun, who waits looks this often whether it does.
constexpr std::uint64_t kLookNs = 5'000'000;
}  // namespace

void EngineCore::add_want(LaneState& lane, std::uint32_t bits) {
    // A new epoch each time: the worker rings once for each value it sees.
    lane.want = ((lane.want & ~shm::kWantMask) + shm::kWantEpoch) | (lane.want & shm::kWantMask) | bits;
    lane.control().parent.want.store(lane.want, std::memory_order_relaxed);
}

void EngineCore::drop_want(LaneState& lane, std::uint32_t bits) {
    if ((lane.want & bits) == 0) return;
    lane.want &= ~bits;
    lane.control().parent.want.store(lane.want, std::memory_order_relaxed);
}

void EngineCore::poll() {
    if (!in_owner_process()) return;
    const std::lock_guard hold(mutex_);
    if (drain() || any_yet_to_begin()) fill();
}

bool EngineCore::worth_spinning(const Task* task, const Job* job, int& cpu) {
    if (spin_ns_ == 0) return false;
    const std::uint32_t function = task != nullptr ? task->function : job->function;
    if (function < functions_.size() && functions_[function].estimate.ns() > kSpinWorthNs) return false;
    cpu = os::current_cpu();
    bool any = false;
    for (const auto& lane : lanes_) {
        if (lane == nullptr || lane->live == 0) continue;
        shm::Control& control = lane->control();
        if (control.parent.cpu.load(std::memory_order_relaxed) != cpu) {
            control.parent.cpu.store(cpu, std::memory_order_relaxed);
        }
        // Its worker shares our CPU: it can only answer if we get out of the way.
        if (control.bells.cpu.load(std::memory_order_relaxed) != cpu) any = true;
    }
    return any;
}

template <class Over>
bool EngineCore::spin_until(const Task* task, const Job* job, Over over) {
    if (!in_owner_process()) return false;
    std::uint64_t end = 0;
    int cpu = -1;
    for (;;) {
        {
            const std::lock_guard hold(mutex_);
            if (drain()) fill();
            if (over()) return true;
            if (end == 0) {
                if (!worth_spinning(task, job, cpu)) return false;
                end = os::now_ns() + static_cast<std::uint64_t>(spin_ns_);
            }
        }
        for (int i = 0; i < 4; ++i)
            cpu_relax();
        if (os::now_ns() >= end) return false;
    }
}

bool EngineCore::spin(const Task* task) {
    return spin_until(task, nullptr, [&] { return is_done(task); });
}

bool EngineCore::spin(const Job* job) {
    {
        const std::lock_guard hold(mutex_);
        Waiter waiter;
        waiter.job = job;
        if (gather_ns(waiter) != 0) return false;
    }
    return spin_until(nullptr, job, [&] { return job_ready(*job); });
}

// How long whoever waits should let results gather; 0: not at all.
std::uint64_t EngineCore::gather_ns(const Waiter& waiter) const {
    if (waiter.bounds != nullptr) return 0;  // its bounds say how much may gather
    const Job* job = waiter.job;
    const std::uint32_t function = job != nullptr ? job->function : waiter.task->function;
    if (function >= functions_.size() || !functions_[function].estimate.known()) return 0;
    const Estimate& estimate = functions_[function].estimate;
    const auto workers = static_cast<std::uint64_t>(options_.workers);
    const std::uint64_t left = job != nullptr ? job->items - job->read_next : outstanding_;
    const std::uint64_t each = estimate.ns();
    if (each >= kNoGatherNs) return 0;
    std::uint64_t most = each * kGatherItems;
    if (job == nullptr) most = each * sched::queue_depth(estimate, kTasksPerLane, ~std::uint32_t{0}, 1) / 2;
    const std::uint64_t time =
        std::min({left * each / workers / kGatherPart, most, job != nullptr ? kLongestForMap : kLongestForTask});
    return time < kShortestGatherNs ? 0 : time;
}

bool EngineCore::over(const Waiter& waiter) const {
    if (waiter.bounds != nullptr) return room_of(*waiter.job, *waiter.bounds) != Room::full;
    return waiter.task != nullptr ? is_done(waiter.task) : job_ready(*waiter.job);
}

WaitEnd EngineCore::wait(const Task* task, std::uint64_t deadline_ns) {
    Waiter waiter;
    waiter.task = task;
    return wait_for(waiter, deadline_ns);
}

WaitEnd EngineCore::wait(const Job* job, std::uint64_t deadline_ns) {
    Waiter waiter;
    waiter.job = job;
    return wait_for(waiter, deadline_ns);
}

WaitEnd EngineCore::wait_room(Job* job, const Bounds& bounds) {
    if (!in_owner_process()) return WaitEnd::done;
    Waiter waiter;
    waiter.job = job;
    waiter.bounds = &bounds;
    return wait_for(waiter, os::kNoDeadline);
}

WaitEnd EngineCore::wait_for(Waiter& waiter, std::uint64_t deadline_ns) {
    std::unique_lock hold(mutex_);
    if (!over(waiter)) {
        const std::uint64_t gather = gather_ns(waiter);
        if (gather != 0) {
            hold.unlock();
            const std::uint64_t until = os::now_ns() + gather;
            const os::Wake wake = os::futex_wait(waiter.word, 0, until < deadline_ns ? until : deadline_ns);
            if (wake == os::Wake::interrupted) return WaitEnd::interrupted;
            hold.lock();
            if (drain()) fill();
            if (over(waiter)) return WaitEnd::done;
        }
    }
    waiters_.push_back(&waiter);
    std::vector<os::FutexWait> words;
    WaitEnd end = WaitEnd::done;
    for (;;) {
        const std::uint32_t word = waiter.word.load(std::memory_order_acquire);
        if (over(waiter)) break;
        words.assign(1, {&waiter.word, word});
        std::vector<std::shared_ptr<LaneMemory>> keep;  // a lane may die while we sleep on its bell
        bool looks = false;
        if (leader_ == nullptr || leader_ == &waiter) {
            leader_ = &waiter;
            const bool watch_lives = 1 + 2 * lanes_.size() <= os::kMostFutexWaits;
            for (const auto& lane : lanes_) {
                if (lane == nullptr) continue;
                keep.push_back(lane->memory);
                const auto& bell = lane->control().bells.caller_bell;
                words.push_back({&bell, bell.load(std::memory_order_acquire)});
                if (watch_lives && lane->live != 0) words.push_back({&lane->caller_life_word(), lane->caller_life});
                add_want(*lane, shm::kWantCaller);
            }
            full_fence();
            if (drain()) {
                fill();
                continue;
            }
            looks = any_yet_to_begin();
        }
        if (waiter.task != nullptr) {
            const_cast<Task*>(waiter.task)->flags |= kWaited;
        } else {
            const_cast<Job*>(waiter.job)->waited = true;
        }
        hold.unlock();
        const std::uint64_t look_at = looks ? os::now_ns() + kLookNs : os::kNoDeadline;
        const os::Wake wake = os::futex_wait_any(words, std::min(deadline_ns, look_at));
        hold.lock();
        if (leader_ == &waiter) {
            for (const auto& lane : lanes_) {
                if (lane != nullptr) drop_want(*lane, shm::kWantCaller);
            }
            if (drain() || looks) fill();
            while (find_ended(hold, Finder::caller)) {
            }
        }
        if (over(waiter)) break;
        if (wake == os::Wake::timeout && os::now_ns() >= deadline_ns) {
            end = WaitEnd::timeout;
            break;
        }
        if (wake == os::Wake::interrupted) {
            end = WaitEnd::interrupted;
            break;
        }
    }
    waiters_.remove(&waiter);
    if (leader_ == &waiter) leader_ = nullptr;
    // Somebody has to listen to the bells now. Also if the last leader had chosen us, and we are done instead.
    if (leader_ == nullptr && !waiters_.empty()) {
        waiters_.front()->word.fetch_add(1, std::memory_order_release);
        os::futex_wake(waiters_.front()->word, 1);
    }
    if (waiter.job != nullptr) {
        bool others = false;
        for (const Waiter* other : waiters_)
            others = others || other->job == waiter.job;
        const_cast<Job*>(waiter.job)->waited = others;
    }
    return end;
}

void EngineCore::wake_waiters(const Task* task, Job* job) {
    if (job != nullptr) job->waited = false;  // once: whoever sleeps again says so again
    for (Waiter* waiter : waiters_) {
        if (waiter->task != task || waiter->job != job) continue;
        if (job != nullptr && !over(*waiter)) {
            job->waited = true;
            continue;
        }
        waiter->word.fetch_add(1, std::memory_order_release);
        os::futex_wake(waiter->word, 1);
    }
}

void EngineCore::wake_leader() {
    if (leader_ == nullptr) return;
    leader_->word.fetch_add(1, std::memory_order_release);
    os::futex_wake(leader_->word, 1);
}

}  // namespace hardwork
