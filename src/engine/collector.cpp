// The thread for those who do not wait themselves: subscribers, full rings, work behind a long task, shutdown.
// It works on bytes; only events_->on_done may take the GIL, and only if somebody subscribed.
#include <algorithm>
#include <utility>

#include "engine/core.hpp"
#include "os/clock.hpp"
#include "os/futex.hpp"
#include "os/memory.hpp"

namespace hardwork {

namespace {
// While tasks are packed behind others it looks this often whether a worker is stuck in a long one.
constexpr std::uint64_t kLookNs = 1'000'000;
// The same while all are busy: the first that is not would have nobody to say so to.
constexpr std::uint64_t kBusyLookNs = 5'000'000;
// So often in vain before it stops to look: a burst of submits must not wake it for each task that is packed.
constexpr int kLooksInVain = 10;
}  // namespace

// Work was packed behind other work: somebody has to look whether that turns out to be long.
void EngineCore::look_after_packed() {
    if (collector_timed_) return;
    packed_ = true;
    wake_collector();
}

void EngineCore::wake_collector() {
    collector_word_.fetch_add(1, std::memory_order_release);
    os::futex_wake(collector_word_, 1);
    collector_timed_ = true;  // it decides anew when it runs
}

std::uint32_t EngineCore::collector_wants() const {
    std::uint32_t want = 0;
    if (subscriptions_ != 0 || shutting_down_) want |= shm::kWantCollector;
    if (backlog_head_ != nullptr || !span_backlog_.empty() || !open_jobs_.empty() || worth_stealing()) {
        want |= shm::kWantIdle;
    }
    return want;
}

// Work waits: a worker that runs out of it shall say so before it sleeps.
void EngineCore::arm_idle() {
    for (const auto& lane : lanes_) {
        if (lane != nullptr && (lane->want & shm::kWantIdle) == 0) add_want(*lane, shm::kWantIdle);
    }
}

void EngineCore::note_worker(bool born, const WorkerDeath& who) {
    if (!wants_workers_) return;
    worker_news_.emplace_back(born, who);
    wake_collector();
}

void EngineCore::tell_workers(std::unique_lock<std::mutex>& hold) {
    std::vector<std::pair<bool, WorkerDeath>> news;
    news.swap(worker_news_);
    hold.unlock();
    for (const auto& [born, who] : news)
        born ? events_->on_worker_start(who.pid) : events_->on_worker_death(who);
    hold.lock();
}

void EngineCore::collect() {
    std::vector<os::FutexWait> words;
    std::vector<std::shared_ptr<LaneMemory>> keep;
    std::vector<void*> notices;
    int looks_left = 0;
    std::unique_lock hold(mutex_);
    for (;;) {
        const std::uint32_t word = collector_word_.load(std::memory_order_acquire);
        drain();
        const std::uint64_t kill_at = end_workers_now();
        fill();
        if (!notices_.empty()) {
            notices.swap(notices_);
            subscriptions_ -= notices.size();
            hold.unlock();
            events_->on_done(notices);
            notices.clear();
            hold.lock();
            continue;
        }
        if (!worker_news_.empty()) {
            tell_workers(hold);
            continue;
        }
        if (shutting_down_ && nothing_outstanding()) {
            send_stops();
            if (supervisor_->population() == 0) break;
        }
        if (find_ended(hold, Finder::collector)) continue;
        words.assign(1, {&collector_word_, word});
        keep.clear();
        const std::uint32_t want = collector_wants();
        std::uint64_t end_at = os::kNoDeadline;
        const bool watch_lives = 1 + 2 * lanes_.size() <= os::kMostFutexWaits;  // else their pidfds have to do
        for (const auto& lane : lanes_) {
            if (lane == nullptr) continue;
            keep.push_back(lane->memory);
            if (lane->end_at != 0) end_at = std::min(end_at, lane->end_at);
            const auto& bell = lane->control().bells.collector_bell;
            words.push_back({&bell, bell.load(std::memory_order_acquire)});
            if (watch_lives) words.push_back({&lane->life_word(), lane->life});
            drop_want(*lane, (shm::kWantCollector | shm::kWantIdle) & ~want);
            if (want != 0) add_want(*lane, want);
        }
        full_fence();
        if (drain()) {
            fill();
            if (want != 0 || !notices_.empty()) continue;
        }
        const bool behind = anything_to_steal();
        if (packed_ || (behind && idle_lane_exists())) {
            packed_ = false;
            looks_left = kLooksInVain;
        } else if (looks_left > 0) {
            --looks_left;
        }
        collector_timed_ = behind || looks_left > 0;
        const bool looks = collector_timed_ || any_yet_to_begin();
        const std::uint64_t pause = looks_left > 0 ? kLookNs : kBusyLookNs;
        const std::uint64_t deadline = std::min({kill_at, end_at, looks ? os::now_ns() + pause : os::kNoDeadline});
        hold.unlock();
        os::futex_wait_any(words, deadline);
        hold.lock();
    }
    hold.unlock();
    supervisor_->stop();
    hold.lock();
    tell_workers(hold);
    hold.unlock();
    // Whoever still holds the pool holds no process, descriptor or shared memory with it.
    std::unique_ptr<Supervisor> supervisor;
    hold.lock();
    stopped_ = true;
    supervisor.swap(supervisor_);
    input_windows_ = shm::Windows();
    // Forked processes that hold the descriptor too do not keep its pages.
    os::punch_hole(input_memory_.get(), 0, shm::kInputArenaSize);
    input_memory_.reset();
    input_read_only_.reset();
    self_.reset();
    hold.unlock();
    {
        const std::lock_guard one_at_a_time(deaths_mutex_);
        oom_.close();
    }
    keep.clear();  // the last lanes' memory
    supervisor.reset();
    source_.reset();
    stopped_word_.store(1, std::memory_order_release);
    os::futex_wake(stopped_word_, 1 << 30);
}

}  // namespace hardwork
