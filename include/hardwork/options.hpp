/// @file
/// What can be chosen when a pool is made.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>

#include "hardwork/error.hpp"
#include "hardwork/initializer.hpp"

namespace hardwork {

/// What ProcessPool::shutdown shall do beside closing the pool; can be combined with |.
enum class ShutdownMode : unsigned {
    none = 0,    ///< Nothing: what is there is done in its time.
    wait = 1,    ///< Wait until all tasks are done and all workers have ended.
    cancel = 2,  ///< Cancel what has not started.
};

/// Both.
constexpr ShutdownMode operator|(ShutdownMode a, ShutdownMode b) {
    return static_cast<ShutdownMode>(static_cast<unsigned>(a) | static_cast<unsigned>(b));
}

/// How the workers of a pool come into being.
enum class Start {
    fork,  ///< As copies of the program, as it was when the pool was made, or at Template::prepare().
    exec,  ///< As the program's own binary, started again; see hardwork::enter_worker. They run what HARDWORK_TASK names.
};

/// What tasks may use up: `pool.with({.timeout = 200ms, .retries = 2})`. What is left alone is as in the pool's Options.
struct TaskOptions {
    /// How long a task, or an item of a map, may run, counted from when a worker starts it. Then it is stopped: at first
    /// this_task::stop_requested() says so there; if it has not ended after `grace`, its worker is killed and replaced,
    /// and it ends with TaskTimeout. Nobody else is touched. More than 0; std::chrono::nanoseconds::max() is no limit.
    std::optional<std::chrono::nanoseconds> timeout{};

    /// How often a task is run again whose worker died: for tasks that may be run twice. Not after a time limit or a stop,
    /// and never after an exception. 0 if nobody says otherwise.
    std::optional<std::uint32_t> retries{};

    /// How long a task has to end by itself when it is to stop, 0 or more; half a second if nobody says otherwise.
    std::optional<std::chrono::nanoseconds> grace{};
};

/// How a ProcessPool is made: `ProcessPool pool({.workers = 4});`.
struct Options {
    /// Worker processes, 1 to 1024. Left alone: all CPUs that this process may really use (affinity mask and cgroup
    /// quota). Any other number, 0 too, is an InvalidOption.
    std::optional<int> workers{};

    /// How the workers come into being.
    Start start = Start::fork;

    /// Called once in each worker before its first task. If it throws, the pool is broken: every task and every later
    /// submit gets BrokenPool, which says what was thrown.
    Initializer initializer{};

    /// A worker ends after so many tasks (items of a map count) and is replaced; 0: never.
    std::uint32_t max_tasks_per_worker = 0;

    /// Bytes of resident memory. A worker that has more ends after its task and is replaced; a task during which it has
    /// twice as much is stopped, as at a time limit, and ends with WorkerMemoryExceeded. 0: no limit.
    std::uint64_t max_memory_per_worker = 0;

    /// As TaskOptions::timeout, for all tasks that are not given another one by ProcessPool::with.
    std::optional<std::chrono::nanoseconds> timeout{};

    /// As TaskOptions::retries, likewise.
    std::uint32_t retries = 0;

    /// As TaskOptions::grace, likewise.
    std::chrono::nanoseconds grace = std::chrono::milliseconds(500);

    /// Called in this process when a worker has been born, with its process id. As on_worker_death.
    std::function<void(std::int32_t pid)> on_worker_start{};

    /// Called in this process when a worker has ended otherwise than it was told to: with its process id, how it ended
    /// and what it was doing. (WorkerDeath::task is 0: that is said by the WorkerDied of the task.) The pool replaces it,
    /// whatever this does. Called on a thread of the pool's own, which also runs the callbacks of futures: it should be
    /// quick. What it throws is dropped.
    std::function<void(const WorkerDeath& death)> on_worker_death{};

    /// Workers are copies of the program as it was when the pool was made. In a program with several threads, a lock
    /// that another thread holds at that moment stays locked in every worker for ever, so a pool made then throws
    /// MultithreadedProgram; see Template::prepare for what to do. True: make it all the same, because tasks touch nothing
    /// that other threads lock.
    bool allow_threads = false;
};

}  // namespace hardwork
