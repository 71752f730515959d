/// @file
/// The result of a task that will be there some time.
#pragma once

#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <type_traits>
#include <utility>

#include "hardwork/codec.hpp"
#include "hardwork/detail/attempt.hpp"
#include "hardwork/detail/awaiter.hpp"
#include "hardwork/detail/result_codec.hpp"
#include "hardwork/detail/shared.hpp"
#include "hardwork/detail/task_handle.hpp"
#include "hardwork/detail/then.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/result.hpp"

namespace hardwork {

namespace detail {
template <class T>
T read_value(TaskHandle& task) {
    if constexpr (std::is_void_v<T>) {
        task.value();
    } else {
        return ResultCodec<T>::read(task);
    }
}
}  // namespace detail

/// What ProcessPool::submit gives: stands for a result that a worker makes. Can be moved, not copied. Its destructor
/// never blocks: a task whose Future has gone runs all the same. A Future may outlive its pool.
///
/// One thread at a time may use a Future; different Futures of one pool may be used by different threads. All members
/// but valid() throw InvalidFuture if there is no task, and WrongProcess in a fork of the process if they would wait.
///
/// Callbacks (on_done, then, a coroutine that co_awaits) run on a thread of the pool's own, or at once on the calling one
/// if the task is done already. They should be quick: while one runs no other does, of any Future of that pool. They may
/// submit. They may wait for tasks, but not without end for what another callback brings: that is WouldWaitForever.
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
    /// @throws RemoteError if the task threw, or the exception itself if its type is registered (register_exception);
    ///     WorkerDied if its worker died; TaskTimeout, TaskStopped, WorkerMemoryExceeded if it was to end before it was
    ///     done; Cancelled, BrokenPool, DecodeError.
    T get() {
        wait_until_ns(detail::kNever);
        return take();
    }

    /// As get(), but waits no longer than a given time.
    /// @param time How long at most.
    /// @throws TimeoutError if the result is not there by then; the Future stays valid.
    template <class Rep, class Period>
    T get_for(std::chrono::duration<Rep, Period> time) {
        if (!wait_for(time)) detail::throw_timeout();
        return take();
    }

    /// As get(), without exceptions: whatever get() would throw is the Result's error().
    Result<T> try_get() noexcept {
        if (std::exception_ptr thrown = detail::attempt([this] { wait_until_ns(detail::kNever); })) {
            return Failure(std::move(thrown));
        }
        return try_take();
    }

    /// As get_for(), without exceptions; after FailureKind::timeout the Future stays valid.
    /// @param time How long at most.
    template <class Rep, class Period>
    Result<T> try_get_for(std::chrono::duration<Rep, Period> time) noexcept {
        const std::exception_ptr thrown = detail::attempt([&] {
            if (!wait_for(time)) detail::throw_timeout();
        });
        return thrown != nullptr ? Result<T>(Failure(thrown)) : try_take();
    }

    /// Waits until the task is done, however it ends.
    void wait() { wait_until_ns(detail::kNever); }

    /// Waits until the task is done, but no longer than a given time. Zero, or a negative time: looks once.
    /// @param time How long at most.
    /// @return Whether it is done.
    template <class Rep, class Period>
    bool wait_for(std::chrono::duration<Rep, Period> time) {
        return wait_until_ns(detail::deadline_after(time));
    }

    /// Waits until the task is done, but no longer than a point in time. One that has passed: looks once.
    /// @param time Until when at most.
    /// @return Whether it is done.
    template <class Clock, class Duration>
    bool wait_until(std::chrono::time_point<Clock, Duration> time) {
        return wait_until_ns(detail::deadline_at(time));
    }

    /// Whether the task is done: then get() does not block.
    bool ready() { return shared_ != nullptr ? shared_->ready() : handle_.ready(); }

    /// How far the task is.
    FutureState state() { return shared_ != nullptr ? shared_->state() : handle_.state(); }

    /// Cancels the task if no worker has started it: then get() throws Cancelled. What then() gave is cancelled with the
    /// task that it goes on from; what when_all() and when_any() gave cannot be.
    /// @return Whether it is cancelled: it has not run, and never will.
    bool cancel() { return shared_ != nullptr ? shared_->cancel() : handle_.cancel(); }

    /// Ends the task in any case. If no worker has started it, it is cancelled. If one runs it, this_task::stop_requested()
    /// says so there, and if it has not ended after its grace (TaskOptions::grace), the worker is killed and replaced: then
    /// get() throws TaskStopped. What the task itself ends with within the grace stands: a value, or what it throws.
    /// @return False if it was done already.
    bool stop() { return shared_ != nullptr ? shared_->stop() : handle_.stop(); }

    /// Whether there is a task: false after get(), after a move, and for one made by default.
    bool valid() const noexcept { return shared_ != nullptr || handle_.valid(); }

    /// Calls back when the task is done, however it ends. The Future stays as it is. May be called more than once; the
    /// callbacks run in that order, also if the Future has gone by then.
    /// @param callback Is called without arguments. What it throws is dropped.
    template <class F>
    void on_done(F callback) {
        static_assert(std::is_invocable_v<F&>, "hardwork: on_done calls back without arguments");
        if (shared_ == nullptr && handle_.ready()) {
            detail::attempt(callback);
            return;
        }
        share()->on_done(detail::continuation(std::move(callback)));
    }

    /// Goes on with the result when it is there. valid() is false afterwards.
    ///
    ///     auto area = pool.submit(measure, file).then([](Size size) { return size.width * size.height; });
    ///
    /// @param function Is called, in this process, with the value; or, if it takes a Result<T>, with that however the
    ///     task ended. (Of a Future<void>: without arguments.)
    /// @return A Future of what it returns; if it returns a Future, of what that one will give. If the task fails, and the
    ///     function does not take a Result<T>, it is not called, and the Future fails in the same way.
    template <class F>
    auto then(F function) {
        constexpr bool callable = detail::can_go_on<T, F>();
        static_assert(callable,
                      "hardwork: the continuation can be called neither with the value nor with a Result of it");
        if constexpr (callable) return detail::Then<T, F>::go_on(std::move(*this), std::move(function));
    }

    /// `co_await future`, in any coroutine: what get() gives. valid() is false afterwards. The coroutine is resumed on a
    /// thread of the pool's own; see the class. If it is destroyed while it waits, nothing happens.
    auto operator co_await() { return detail::Awaiter<T, Future>(std::move(*this)); }

  private:
    friend class PoolCalls;
    friend struct detail::FutureAccess;
    // Of a task: how its result is read. Those of continuations have values that need no Codec.
    using Read = T (*)(detail::TaskHandle& task);
    Future(detail::TaskHandle handle, Read read) : handle_(std::move(handle)), read_(read) {}
    explicit Future(std::shared_ptr<detail::Shared> shared) : shared_(std::move(shared)) {}

    bool wait_until_ns(std::uint64_t deadline_ns) {
        return shared_ != nullptr ? shared_->wait_until(deadline_ns) : handle_.wait_until(deadline_ns);
    }

    const std::shared_ptr<detail::Shared>& share() {
        if (shared_ == nullptr) shared_ = detail::WatchedTask::watch(handle_);
        return shared_;
    }

    // The task is gone afterwards, also if the result is an exception.
    T take() {
#if defined(__cpp_exceptions)
        if (shared_ == nullptr) return take_from(std::move(handle_));
#endif
        return static_cast<T>(try_take().value());
    }

    T take_from(detail::TaskHandle task) const { return read_(task); }

    // As take(). Where a program has no exceptions, the frames that one passes here hold nothing to be destroyed.
    Result<T> try_take() {
        const std::shared_ptr<detail::Shared> shared = std::move(shared_);
        detail::TaskHandle* const watched = shared != nullptr ? shared->task() : &handle_;
        if (watched == nullptr) return static_cast<detail::Promise<T>&>(*shared).take();
        detail::TaskHandle task = std::move(*watched);
        return detail::result_of([&]() -> T { return read_(task); });
    }

    detail::TaskHandle handle_;
    Read read_ = nullptr;
    std::shared_ptr<detail::Shared> shared_;
};

}  // namespace hardwork
