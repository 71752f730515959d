/// @file
/// What the C++ face throws. Each class says one thing that a caller may want to handle on its own.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "hardwork/error.hpp"
#include "hardwork/export.hpp"

namespace hardwork {

/// Base of everything the C++ face throws, but for InvalidOption and std::bad_alloc.
class HARDWORK_API PoolError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// An option that cannot be; what() names it.
class HARDWORK_API InvalidOption : public std::invalid_argument {
  public:
    using std::invalid_argument::invalid_argument;
};

/// A task threw an exception whose type is not registered (register_exception). what() is "type: message", and then
/// "; caused by type: message" for each exception that was nested in it (std::throw_with_nested). Those are also nested in
/// this one, so that std::rethrow_if_nested gives them, registered ones as themselves.
class HARDWORK_API RemoteError : public PoolError {
  public:
    /// An exception that was nested in another.
    struct Cause {
        std::string type_name;  ///< Its type, readable.
        std::string message;    ///< Its what(); empty for what is no std::exception.
    };

    /// @param type The exception's type, readable: "std::out_of_range".
    /// @param message Its what(); empty for what is no std::exception.
    /// @param causes What was nested in it, and in that, and so on; 16 exceptions at most.
    /// @param stack Where it was thrown.
    RemoteError(std::string type, std::string message, std::vector<Cause> causes = {},
                std::vector<std::string> stack = {});
    /// The type that was thrown in the worker, readable.
    const std::string& type_name() const noexcept { return type_; }
    /// The what() of what was thrown; empty for what is no std::exception.
    const std::string& message() const noexcept { return message_; }
    /// What was nested in it: its cause, the cause of that, and so on.
    const std::vector<Cause>& causes() const noexcept { return causes_; }
    /// The worker's stack where it was thrown, the innermost function first, 32 at most: "function (file+0x1a2b)", or
    /// the place alone, for addr2line(1), where the function is not among the file's dynamic symbols (programs have them
    /// when they are linked with -rdynamic). Empty where it is not known: what an initializer threw, another C++ runtime
    /// than libstdc++.
    const std::vector<std::string>& stack() const noexcept { return stack_; }

  private:
    std::string type_;
    std::string message_;
    std::vector<Cause> causes_;
    std::vector<std::string> stack_;
};

/// The worker died while it ran this task: a crash, std::exit, the OOM killer. The pool goes on, with a new worker.
class HARDWORK_API WorkerDied : public PoolError {
  public:
    /// @param death What the engine knows of it.
    explicit WorkerDied(const WorkerDeath& death);
    /// All that is known of it.
    const WorkerDeath& death() const noexcept { return death_; }
    /// The worker's process id.
    std::int32_t pid() const noexcept { return death_.pid; }
    /// The signal that ended it, or 0.
    int signal() const noexcept;
    /// Its exit code, or -1 if a signal ended it or nobody knows.
    int exit_code() const noexcept;
    /// What it was doing: Phase::run is the task itself.
    Phase phase() const noexcept { return death_.phase; }
    /// The engine's number of the task; for an item of a map, its place in the input.
    std::uint64_t task() const noexcept { return death_.task; }

  private:
    WorkerDeath death_;
};

/// A task was to end before it was done. Base of TaskTimeout, TaskStopped and WorkerMemoryExceeded.
class HARDWORK_API TaskAborted : public PoolError {
  public:
    /// How its worker was killed, because it did not end by itself; nullptr if it did.
    const WorkerDeath* death() const noexcept { return death_ ? &*death_ : nullptr; }

  protected:
    /// By itself.
    explicit TaskAborted(const std::string& what) : PoolError(what) {}
    /// By force; `what` is why.
    TaskAborted(const std::string& what, const WorkerDeath& death);

  private:
    std::optional<WorkerDeath> death_;
};

/// A task ran longer than its time limit: TaskOptions::timeout.
class HARDWORK_API TaskTimeout : public TaskAborted {
  public:
    /// As this_task::throw_if_stopped throws it.
    explicit TaskTimeout(const std::string& what = "the task ran longer than its time limit") : TaskAborted(what) {}
    /// @param death Of its worker.
    explicit TaskTimeout(const WorkerDeath& death);
};

/// A task was stopped while it ran: Future::stop.
class HARDWORK_API TaskStopped : public TaskAborted {
  public:
    /// As this_task::throw_if_stopped throws it.
    explicit TaskStopped(const std::string& what = "the task was stopped") : TaskAborted(what) {}
    /// @param death Of its worker.
    explicit TaskStopped(const WorkerDeath& death);
};

/// A task's worker had more than twice Options::max_memory_per_worker while it ran.
class HARDWORK_API WorkerMemoryExceeded : public TaskAborted {
  public:
    /// As this_task::throw_if_stopped throws it.
    explicit WorkerMemoryExceeded(
        const std::string& what = "the task's worker has more than twice max_memory_per_worker")
        : TaskAborted(what) {}
    /// @param death Of its worker.
    explicit WorkerMemoryExceeded(const WorkerDeath& death);
};

/// The pool gave up: its initializer failed, or workers cannot be born any more.
class HARDWORK_API BrokenPool : public PoolError {
  public:
    /// @param what The whole message.
    /// @param cause_type Type of what the initializer threw, or "".
    /// @param cause_message Its what(), or "".
    explicit BrokenPool(const std::string& what, std::string cause_type = {}, std::string cause_message = {});
    /// @param death Of the last of several workers that ended before they came to anything.
    explicit BrokenPool(const WorkerDeath& death);
    /// @param error Why there was no process, several times.
    explicit BrokenPool(const Error& error);
    /// Type of what the initializer threw; empty if the reason is another.
    const std::string& cause_type() const noexcept { return cause_type_; }
    /// The what() of what the initializer threw.
    const std::string& cause_message() const noexcept { return cause_message_; }
    /// How the last of its workers ended, if that is the reason: what it was doing is in its phase. Else nullptr.
    const WorkerDeath* death() const noexcept { return death_ ? &*death_ : nullptr; }
    /// The errno value of what the system refused, if that is the reason, or 0.
    int code() const noexcept { return code_; }

  private:
    std::string cause_type_;
    std::string cause_message_;
    std::optional<WorkerDeath> death_;
    int code_ = 0;
};

/// The task was cancelled before it started.
class HARDWORK_API Cancelled : public PoolError {
  public:
    Cancelled() : PoolError("the task was cancelled") {}
};

/// The result was not there in time. The task goes on, and its Future stays valid.
class HARDWORK_API TimeoutError : public PoolError {
  public:
    TimeoutError() : PoolError("the result was not there in time") {}
};

/// The pool has been shut down and takes no more tasks.
class HARDWORK_API ShutDown : public PoolError {
  public:
    ShutDown() : PoolError("the pool has been shut down") {}
};

/// A Future without a task was asked for its result: moved from, default-made, or get() was called before.
class HARDWORK_API InvalidFuture : public PoolError {
  public:
    InvalidFuture() : PoolError("this Future has no task: it was moved from, or its result was taken already") {}
};

/// A ProcessPool that was moved from was asked to do something.
class HARDWORK_API InvalidPool : public PoolError {
  public:
    InvalidPool() : PoolError("this ProcessPool was moved from") {}
};

/// A callback of a future, or a hook, waits for what only its own thread could bring.
class HARDWORK_API WouldWaitForever : public PoolError {
  public:
    WouldWaitForever() : PoolError("this callback waits for what only its own thread could bring") {}
};

/// Bytes that are not what a Codec expects: it reads other bytes than it writes, or a worker was damaged.
class HARDWORK_API DecodeError : public PoolError {
  public:
    using PoolError::PoolError;
};

/// A value that cannot be turned into bytes: its Codec writes more than it measured, a std::variant without a value, or
/// values that lie deeper in each other than hardwork::max_depth.
class HARDWORK_API EncodeError : public PoolError {
  public:
    using PoolError::PoolError;
};

/// A pool was used in a process other than the one that made it: in a task, or after a fork.
class HARDWORK_API WrongProcess : public PoolError {
  public:
    WrongProcess() : PoolError("this pool belongs to the process that made it, not to a fork of it") {}
};

/// A task that cannot run in the workers of a pool with Start::exec; what() says why. See HARDWORK_TASK.
class HARDWORK_API UnregisteredTask : public PoolError {
  public:
    /// @param why What is wrong with it.
    explicit UnregisteredTask(const std::string& why)
        : PoolError("this task cannot run in a pool with Start::exec: " + why) {}
};

/// A pool was made in a program that has several threads; see Options::allow_threads.
class HARDWORK_API MultithreadedProgram : public PoolError {
  public:
    /// @param threads How many there are.
    explicit MultithreadedProgram(int threads);
};

/// The system refused what the engine needs (memory, a process, a system call in a container).
class HARDWORK_API SystemError : public PoolError {
  public:
    /// @param error What was tried and what came of it.
    explicit SystemError(const Error& error);
    /// The errno value, or 0.
    int code() const noexcept { return error_.sys_errno; }
    /// True if this kernel or container never can (memfd, pidfd, sealing), false if it might work another time.
    bool unsupported() const noexcept { return error_.code == Errc::unsupported; }

  private:
    Error error_;
};

}  // namespace hardwork
