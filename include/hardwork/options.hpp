// What can be chosen when a pool is made.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "hardwork/error.hpp"

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

/// How a ProcessPool is made: `ProcessPool pool({.workers = 4});`.
struct Options {
    /// Worker processes, 1 to 1024. Left alone: all CPUs that this process may really use (affinity mask and cgroup
    /// quota). Any other number, 0 too, is an InvalidOption.
    std::optional<int> workers{};

    /// Called once in each worker before its first task. If it throws, the pool is broken: every task and every later
    /// submit gets BrokenPool, which says what was thrown.
    std::function<void()> initializer{};

    /// A worker ends after so many tasks (items of a map count) and is replaced; 0: never.
    std::uint32_t max_tasks_per_worker = 0;

    /// Called in this process when a worker has been born, with its process id. As on_worker_death.
    std::function<void(std::int32_t pid)> on_worker_start{};

    /// Called in this process when a worker has ended otherwise than it was told to: with its process id, how it ended
    /// and what it was doing. (WorkerDeath::task is 0: that is said by the WorkerDied of the task.) The pool replaces it,
    /// whatever this does. Called on a thread of the pool's own, which also runs the callbacks of futures: it should be
    /// quick. What it throws is dropped.
    std::function<void(const WorkerDeath& death)> on_worker_death{};

    /// Workers are copies of the program as it was when the pool was made. In a program with several threads, a lock
    /// that another thread holds at that moment stays locked in every worker for ever, so a pool made then throws
    /// MultithreadedProgram. True: make it all the same, because tasks touch nothing that other threads lock.
    bool allow_threads = false;
};

}  // namespace hardwork
