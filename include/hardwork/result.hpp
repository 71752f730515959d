/// @file
/// What came of something, as a value: for those who do not want exceptions, or are built without them.
#pragma once

#include <exception>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "hardwork/detail/attempt.hpp"
#include "hardwork/error.hpp"
#include "hardwork/export.hpp"

namespace hardwork {

/// What kind of thing went wrong. In brackets: the exception that says the same.
enum class FailureKind {
    thrown,         ///< The task, or a continuation, threw (RemoteError, or the exception itself if it is registered).
    worker_died,    ///< Its worker died while it ran (WorkerDied).
    task_timeout,   ///< It ran longer than its time limit (TaskTimeout).
    task_stopped,   ///< It was stopped while it ran (TaskStopped).
    task_memory,    ///< It took too much memory (WorkerMemoryExceeded).
    cancelled,      ///< It was cancelled (Cancelled).
    timeout,        ///< It was not there in time (TimeoutError).
    shut_down,      ///< The pool takes no more tasks (ShutDown).
    broken_pool,    ///< The pool gave up (BrokenPool).
    no_task,        ///< The Future has no task (InvalidFuture), or the ProcessPool was moved from (InvalidPool).
    encode,         ///< A value could not be turned into bytes (EncodeError).
    decode,         ///< Bytes could not be turned into a value (DecodeError).
    wrong_process,  ///< Not in the process that made the pool (WrongProcess).
    would_block,    ///< A callback would have waited for ever (WouldWaitForever).
    unregistered_task,  ///< It cannot run in a pool with Start::exec (UnregisteredTask).
    bad_option,         ///< An option that cannot be (std::invalid_argument, MultithreadedProgram).
    system,             ///< The system refused something (SystemError).
    no_memory,          ///< Memory ran out, here or in the task (std::bad_alloc).
};

/// Why there is no value. Cheap to copy; never empty.
class HARDWORK_API Failure {
  public:
    /// @param thrown What was thrown; not null.
    explicit Failure(std::exception_ptr thrown) noexcept;
    /// What kind of thing it is.
    FailureKind kind() const noexcept;
    /// The text of the exception.
    const std::string& what() const noexcept;
    /// The exception's type, readable; of what a task threw, the type that it threw.
    const std::string& type_name() const noexcept;
    /// How the worker died, or was killed since the task did not end when it was to; nullptr if none did.
    const WorkerDeath* death() const noexcept;
    /// The exception itself.
    const std::exception_ptr& exception() const noexcept;
    /// Throws it.
    [[noreturn]] void rethrow() const { detail::rethrow(exception()); }

  private:
    struct Details;
    std::shared_ptr<const Details> details_;
};

/// A T, or the Failure to make one; what std::expected<T, Failure> is in C++23. T may be void.
template <class T>
class [[nodiscard]] Result {
  public:
    /// What a value is; for void a std::monostate.
    using Value = std::conditional_t<std::is_void_v<T>, std::monostate, T>;

    /// A value.
    Result(Value value) : what_(std::in_place_index<0>, std::move(value)) {}
    /// A failure.
    Result(Failure failure) : what_(std::in_place_index<1>, std::move(failure)) {}
    /// Success, where there is no more to say.
    Result() requires std::is_void_v<T> : Result(Value{}) {}

    /// Whether there is a value.
    bool has_value() const noexcept { return what_.index() == 0; }
    /// Whether there is a value.
    explicit operator bool() const noexcept { return has_value(); }

    /// The value.
    /// @throws What went wrong, if there is none.
    Value& value() & {
        check();
        return *std::get_if<0>(&what_);
    }
    /// The value, to be read.
    const Value& value() const& {
        check();
        return *std::get_if<0>(&what_);
    }
    /// The value, to be moved from.
    Value&& value() && {
        check();
        return std::move(*std::get_if<0>(&what_));
    }
    /// The value, or another one.
    template <class U>
    Value value_or(U&& other) && {
        return has_value() ? std::move(*std::get_if<0>(&what_)) : static_cast<Value>(std::forward<U>(other));
    }
    /// As value().
    Value& operator*() & { return value(); }
    /// As value().
    const Value& operator*() const& { return value(); }
    /// As value().
    Value&& operator*() && { return std::move(*this).value(); }
    /// As value().
    Value* operator->() { return &value(); }
    /// As value().
    const Value* operator->() const { return &value(); }

    /// Why there is no value. Only to be asked where has_value() is false.
    const Failure& error() const { return *std::get_if<1>(&what_); }

  private:
    void check() const {
        if (!has_value()) error().rethrow();
    }

    std::variant<Value, Failure> what_;
};

namespace detail {
// What make() returns or throws.
template <class F, class T = std::invoke_result_t<F&>>
Result<T> result_of(F&& make) {
    std::variant<std::monostate, typename Result<T>::Value> value;
    const std::exception_ptr thrown = attempt([&] {
        if constexpr (std::is_void_v<T>) {
            make();
            value.template emplace<1>();
        } else {
            value.template emplace<1>(make());
        }
    });
    if (thrown != nullptr) return Failure(thrown);
    return std::move(*std::get_if<1>(&value));
}
}  // namespace detail

}  // namespace hardwork
