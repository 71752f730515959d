/// @file
/// For code that runs in a task.
#pragma once

#include "hardwork/export.hpp"

/// For code that runs in a task.
namespace hardwork::this_task {

/// Whether this task is to end: its time limit is over (TaskOptions::timeout), somebody wants it (Future::stop), or its
/// worker has too much memory (Options::max_memory_per_worker). If it has not ended after its grace, the worker is killed.
/// Nothing else tells a task: no exception comes out of the blue, no signal is sent. So tasks that may be long ask, and
/// return what they have, or throw_if_stopped().
///
///     for (const auto& row : rows) {
///         if (hardwork::this_task::stop_requested()) return best;
///         improve(best, row);
///     }
///
/// Costs a few nanoseconds. May be asked by other threads of the task, too. Outside of a task: false.
HARDWORK_API bool stop_requested() noexcept;

/// Throws what the task's Future shall throw if stop_requested(): TaskTimeout, TaskStopped or WorkerMemoryExceeded.
HARDWORK_API void throw_if_stopped();

}  // namespace hardwork::this_task
