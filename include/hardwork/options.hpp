// What can be chosen when a pool is made.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace hardwork {

/// How a ProcessPool is made: `ProcessPool pool({.workers = 4});`.
struct Options {
    /// Worker processes, 1 to 1024. Left alone: all CPUs that this process may really use (affinity mask and cgroup
    /// quota). Any other number, 0 too, is a std::invalid_argument.
    std::optional<int> workers{};

    /// Called once in each worker before its first task. If it throws, the pool is broken: every task and every later
    /// submit gets BrokenPool, which says what was thrown.
    std::function<void()> initializer{};

    /// A worker ends after so many tasks (items of a map count) and is replaced; 0: never.
    std::uint32_t max_tasks_per_worker = 0;

    /// Workers are copies of the program as it was when the pool was made. In a program with several threads, a lock
    /// that another thread holds at that moment stays locked in every worker for ever, so a pool made then throws
    /// MultithreadedProgram. True: make it all the same, because tasks touch nothing that other threads lock.
    bool allow_threads = false;
};

}  // namespace hardwork
