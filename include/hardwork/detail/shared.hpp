// What a Future becomes when others want to be told of its end, and what those futures are that no task stands behind
// (of then, when_all, when_any).
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <type_traits>
#include <utility>
#include <vector>

#include "hardwork/detail/task_handle.hpp"
#include "hardwork/export.hpp"
#include "hardwork/result.hpp"

namespace hardwork::detail {

// Run once, when something is done.
class HARDWORK_API Continuation {
  public:
    Continuation() = default;
    Continuation(const Continuation&) = delete;
    Continuation& operator=(const Continuation&) = delete;
    virtual ~Continuation() = default;
    virtual void run() = 0;
};

template <class F>
class Calling final : public Continuation {
  public:
    explicit Calling(F function) : function_(std::move(function)) {}
    void run() override { function_(); }

  private:
    F function_;
};

template <class F>
std::unique_ptr<Continuation> continuation(F function) {
    return std::make_unique<Calling<F>>(std::move(function));
}

class HARDWORK_API Shared {
  public:
    explicit Shared(std::shared_ptr<Engine> engine) : engine_(std::move(engine)) {}
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    virtual ~Shared();

    // Whose thread tells of its end; of a combination of none, nullptr.
    const std::shared_ptr<Engine>& engine() const { return engine_; }
    virtual bool ready();
    virtual bool wait_until(std::uint64_t deadline_ns);
    virtual bool cancel() = 0;
    virtual bool stop() = 0;
    virtual FutureState state() = 0;
    // The task behind it, to be taken; of those without one, nullptr.
    virtual TaskHandle* task() { return nullptr; }
    // Runs it when this is done, on the engine's thread; at once, here, if it is done. What it throws is dropped.
    void on_done(std::unique_ptr<Continuation> next);
    // It is done: tells everybody.
    void settle() noexcept;

  protected:
    bool settled();

  private:
    std::shared_ptr<Engine> engine_;
    std::mutex lock_;
    std::condition_variable changed_;
    bool settled_ = false;
    std::vector<std::unique_ptr<Continuation>> continuations_;
};

// A task of the engine's that somebody wants to be told of. Waiting is still the waiting thread's own work.
class HARDWORK_API WatchedTask final : public Shared {
  public:
    // Takes the task and asks the engine to tell of it. Throws InvalidFuture, WrongProcess; the task stays then.
    static std::shared_ptr<Shared> watch(TaskHandle& task);
    explicit WatchedTask(TaskHandle& task);
    bool ready() override { return task_.ready(); }
    bool wait_until(std::uint64_t deadline_ns) override { return task_.wait_until(deadline_ns); }
    bool cancel() override { return task_.cancel(); }
    bool stop() override { return task_.stop(); }
    FutureState state() override { return task_.state(); }
    TaskHandle* task() override { return &task_; }
    // From the engine, with what watch() gave it.
    static void told(void* cookie) noexcept;

  private:
    TaskHandle task_;
    std::shared_ptr<WatchedTask> self_;  // while the engine knows of it
};

// A result that this program makes.
template <class T>
class Promise final : public Shared {
  public:
    // source: what its result is made of; cancelling or stopping this does it to that.
    explicit Promise(std::shared_ptr<Engine> engine, std::weak_ptr<Shared> source = {})
        : Shared(std::move(engine)), source_(std::move(source)) {}

    void fulfil(Result<T> result) {
        result_.emplace(std::move(result));
        settle();
    }
    Result<T> take() { return std::move(*result_); }

    bool cancel() override {
        const std::shared_ptr<Shared> source = source_.lock();
        return source != nullptr && source->cancel();
    }
    bool stop() override {
        const std::shared_ptr<Shared> source = source_.lock();
        return source != nullptr && source->stop();
    }
    FutureState state() override {
        if (!settled()) return FutureState::waiting;
        if (result_->has_value()) return FutureState::value;
        return result_->error().kind() == FailureKind::cancelled ? FutureState::cancelled : FutureState::failed;
    }

  private:
    std::weak_ptr<Shared> source_;
    std::optional<Result<T>> result_;
};

// Numbers of what is done, in the order in which it is.
class HARDWORK_API ReadyQueue {
  public:
    void push(std::size_t index);
    // Waits for the next one. engine: whose thread pushes.
    std::size_t pop(Engine* engine);

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::deque<std::size_t> ready_;
};

}  // namespace hardwork::detail
