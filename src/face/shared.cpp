#include "hardwork/detail/shared.hpp"

#include <chrono>

#include "face/events.hpp"
#include "hardwork/detail/attempt.hpp"
#include "hardwork/exceptions.hpp"

namespace hardwork::detail {

namespace {

// Before a thread sleeps until the engine's own one wakes it.
void check_can_be_woken(const Engine* engine) {
    if (engine != nullptr && !engine->in_owner_process()) throw WrongProcess();
    if (face::on_an_engine_thread()) throw WouldWaitForever();
}

}  // namespace

Shared::~Shared() = default;

bool Shared::settled() {
    const std::lock_guard hold(lock_);
    return settled_;
}

bool Shared::ready() { return settled(); }

bool Shared::wait_until(std::uint64_t deadline_ns) {
    if (settled()) return true;
    if (deadline_ns == kNever) {
        check_can_be_woken(engine_.get());
        std::unique_lock hold(lock_);
        changed_.wait(hold, [this] { return settled_; });
        return true;
    }
    if (engine_ != nullptr && !engine_->in_owner_process()) throw WrongProcess();
    std::unique_lock hold(lock_);
    for (std::uint64_t now = monotonic_ns(); !settled_ && now < deadline_ns; now = monotonic_ns())
        changed_.wait_for(hold, std::chrono::nanoseconds(deadline_ns - now));
    return settled_;
}

void Shared::on_done(std::unique_ptr<Continuation> next) {
    {
        const std::lock_guard hold(lock_);
        if (!settled_) {
            continuations_.push_back(std::move(next));
            return;
        }
    }
    attempt([&] { next->run(); });
}

void Shared::settle() noexcept {
    std::vector<std::unique_ptr<Continuation>> continuations;
    {
        const std::lock_guard hold(lock_);
        settled_ = true;
        continuations.swap(continuations_);
        // With the lock: who waits may be the one who lets go of this.
        changed_.notify_all();
    }
    for (auto& next : continuations) {
        attempt([&] { next->run(); });
        next.reset();
    }
}

WatchedTask::WatchedTask(TaskHandle& task) : Shared(task.engine()), task_(std::move(task)) {}

std::shared_ptr<Shared> WatchedTask::watch(TaskHandle& task) {
    auto watched = std::make_shared<WatchedTask>(task);
    watched->self_ = watched;
    bool told_later = false;
    const std::exception_ptr failure = attempt([&] { told_later = watched->task_.subscribe(watched.get()); });
    if (told_later) return watched;
    watched->self_.reset();
    if (failure != nullptr) {
        task = std::move(watched->task_);
        rethrow(failure);
    }
    watched->settle();
    return watched;
}

void WatchedTask::told(void* cookie) noexcept {
    const std::shared_ptr<WatchedTask> self = std::move(static_cast<WatchedTask*>(cookie)->self_);
    self->settle();
}

void ReadyQueue::push(std::size_t index) {
    const std::lock_guard hold(lock_);
    ready_.push_back(index);
    changed_.notify_one();
}

std::size_t ReadyQueue::pop(Engine* engine) {
    std::unique_lock hold(lock_);
    if (ready_.empty()) check_can_be_woken(engine);
    changed_.wait(hold, [this] { return !ready_.empty(); });
    const std::size_t index = ready_.front();
    ready_.pop_front();
    return index;
}

}  // namespace hardwork::detail
