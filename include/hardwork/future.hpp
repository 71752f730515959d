// The result of a call that runs in a worker process.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/engine.hpp"

namespace hardwork {

namespace detail {

// Throws what the ending means, unless it is a value.
void throw_unless_value(Engine& engine, const TaskResult& result);

// A task's handle: released once.
class TaskHandle {
  public:
    TaskHandle() = default;
    TaskHandle(std::shared_ptr<Engine> engine, Task* task) : engine_(std::move(engine)), task_(task) {}
    TaskHandle(TaskHandle&& other) noexcept
        : engine_(std::move(other.engine_)), task_(std::exchange(other.task_, nullptr)) {}
    TaskHandle& operator=(TaskHandle&& other) noexcept {
        if (this != &other) {
            release();
            engine_ = std::move(other.engine_);
            task_ = std::exchange(other.task_, nullptr);
        }
        return *this;
    }
    ~TaskHandle() { release(); }

    bool valid() const { return task_ != nullptr; }
    bool done() const;
    bool wait_until(std::uint64_t deadline_ns) const;  // monotonic_ns(), or ~0
    bool cancel();
    TaskResult result();  // of a done task; throws unless it is a value
    void check() const;   // throws std::logic_error for a future that was moved from or read

  private:
    void release();
    std::shared_ptr<Engine> engine_;
    Task* task_ = nullptr;
};

}  // namespace detail

// Move-only. Its end never blocks: the task goes on, its result is dropped.
template <class T>
class Future {
  public:
    Future() = default;
    explicit Future(detail::TaskHandle task) : task_(std::move(task)) {}

    // Waits, and returns the result. Once. Throws RemoteError (the task threw), WorkerDied, Cancelled, BrokenPool.
    T get() {
        task_.check();
        task_.wait_until(~std::uint64_t{0});
        detail::TaskHandle task = std::move(task_);
        const TaskResult result = task.result();
        if constexpr (!std::is_void_v<T>) {
            Reader in(result.bytes);
            return Codec<T>::read(in);
        }
    }
    void wait() const {
        task_.check();
        task_.wait_until(~std::uint64_t{0});
    }
    // True if it is done before the time is over.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> time) const {
        task_.check();
        const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
        return task_.wait_until(monotonic_ns() + (ns > 0 ? static_cast<std::uint64_t>(ns) : 0));
    }
    // False for one that was moved from, or whose result was taken.
    bool valid() const { return task_.valid(); }
    // Whether get() would return at once.
    bool ready() const {
        task_.check();
        return task_.done();
    }
    // True: the task will never run. False: it runs or has ended.
    bool cancel() {
        task_.check();
        return task_.cancel();
    }

  private:
    detail::TaskHandle task_;
};

}  // namespace hardwork
