// One task as its Future holds it: everything that does not depend on the type of the result.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "hardwork/engine.hpp"
#include "hardwork/export.hpp"

namespace hardwork {

/// How far a Future is.
enum class FutureState {
    waiting,    ///< No worker has begun it. (What then() and its like give is waiting until it is done.)
    running,    ///< A worker is at it.
    value,      ///< It is done, and there is a value.
    failed,     ///< It is done: it threw, its worker died, or the pool is broken.
    cancelled,  ///< It is done: it was cancelled.
};

}  // namespace hardwork

namespace hardwork::detail {

inline constexpr std::uint64_t kNever = ~std::uint64_t{0};

// Now plus a time, as the engine counts; a negative time is none.
template <class Rep, class Period>
std::uint64_t deadline_after(std::chrono::duration<Rep, Period> time) {
    using Seconds = std::chrono::duration<double>;
    const double seconds = std::chrono::duration_cast<Seconds>(time).count();
    if (!(seconds > 0)) return monotonic_ns();
    return seconds < 3.0e9 ? monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9) : kNever;
}

// The same of a point in time of any clock. In floating point: the difference of two that lie far apart would overflow.
template <class Clock, class Duration>
std::uint64_t deadline_at(std::chrono::time_point<Clock, Duration> time) {
    using Seconds = std::chrono::duration<long double>;
    return deadline_after(Seconds(time.time_since_epoch()) - Seconds(Clock::now().time_since_epoch()));
}

class HARDWORK_API TaskHandle {
  public:
    TaskHandle() = default;
    TaskHandle(std::shared_ptr<Engine> engine, Task* task) : engine_(std::move(engine)), task_(task) {}
    TaskHandle(TaskHandle&& other) noexcept
        : engine_(std::move(other.engine_)), task_(std::exchange(other.task_, nullptr)) {}
    TaskHandle& operator=(TaskHandle&& other) noexcept {
        if (this != &other) {
            reset();
            engine_ = std::move(other.engine_);
            task_ = std::exchange(other.task_, nullptr);
        }
        return *this;
    }
    ~TaskHandle() {
        if (task_ != nullptr) reset();
    }

    bool valid() const noexcept { return task_ != nullptr; }
    // All of these throw InvalidFuture without a task.
    bool ready();
    bool cancel();
    bool stop();
    FutureState state();
    bool subscribe(void* cookie);  // as Engine::subscribe
    const std::shared_ptr<Engine>& engine() const { return engine_; }
    bool wait_until(std::uint64_t deadline_ns);  // true when done
    // Of a done task, until reset(). Throws what it ended with, if not with a value; then the task is gone.
    std::span<const std::byte> value();
    // After value(), once, instead of its bytes: the memory in which they lie. nullptr: they are to be copied.
    std::unique_ptr<Segment> keep() { return engine_->keep(task_); }
    void reset() noexcept;  // lets the task go; it runs all the same

  private:
    void check() const;

    std::shared_ptr<Engine> engine_;
    Task* task_ = nullptr;
};

}  // namespace hardwork::detail
