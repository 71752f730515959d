// The result of a task that will be there some time.
#pragma once

#include <chrono>
#include <type_traits>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/detail/task_handle.hpp"
#include "hardwork/exceptions.hpp"

namespace hardwork {

/// What ProcessPool::submit gives: stands for a result that a worker makes. Can be moved, not copied. Its destructor
/// never blocks: a task whose Future has gone runs all the same. A Future may outlive its pool.
///
/// One thread at a time may use a Future; different Futures of one pool may be used by different threads.
///
/// @tparam T What the function returns; may be void.
template <class T>
class Future {
  public:
    /// A Future without a task: valid() is false.
    Future() = default;
    /// Takes the task of another, which is without one then.
    Future(Future&&) noexcept = default;
    /// Lets its task go, and takes that of another.
    Future& operator=(Future&&) noexcept = default;

    /// Waits for the result and takes it; valid() is false afterwards.
    /// @return What the function returned.
    /// @throws RemoteError if the task threw, WorkerDied if its worker died, Cancelled, BrokenPool, DecodeError;
    ///     InvalidFuture if there is no task.
    T get() {
        handle_.wait_until(detail::kNever);
        return take();
    }

    /// As get(), but waits no longer than a given time.
    /// @param time How long at most.
    /// @throws TimeoutError if the result is not there by then; the Future stays valid.
    template <class Rep, class Period>
    T get_for(std::chrono::duration<Rep, Period> time) {
        if (!wait_for(time)) throw TimeoutError();
        return take();
    }

    /// Waits until the task is done, however it ends.
    void wait() { handle_.wait_until(detail::kNever); }

    /// Waits until the task is done, but no longer than a given time. Zero, or a negative time: looks once.
    /// @param time How long at most.
    /// @return Whether it is done.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> time) {
        return handle_.wait_until(detail::deadline_after(time));
    }

    /// Waits until the task is done, but no longer than a point in time.
    /// @param time Until when at most.
    /// @return Whether it is done.
    template <class Clock, class Duration>
    bool wait_until(std::chrono::time_point<Clock, Duration> time) {
        return wait_for(time - Clock::now());
    }

    /// Whether the task is done: then get() does not block.
    bool ready() { return handle_.ready(); }

    /// Cancels the task if no worker has started it: then get() throws Cancelled.
    /// @return Whether it is cancelled: it has not run, and never will.
    bool cancel() { return handle_.cancel(); }

    /// Whether there is a task: false after get(), after a move, and for one made by default.
    bool valid() const noexcept { return handle_.valid(); }

  private:
    friend class ProcessPool;
    explicit Future(detail::TaskHandle handle) : handle_(std::move(handle)) {}

    T take() {
        detail::TaskHandle task = std::move(handle_);  // gone also if the result is an exception
        const TaskResult result = task.result();
        if constexpr (!std::is_void_v<T>) {
            Decoder in(result.bytes);
            T value = Codec<T>::decode(in);
            in.expect_end();
            return value;
        }
    }

    detail::TaskHandle handle_;
};

}  // namespace hardwork
