/// @file
/// What a pool has done so far: Engine::stats().
#pragma once

#include <cstdint>
#include <vector>

namespace hardwork {

/// Why a worker ended that nobody had told to.
enum class DeathCause : std::uint8_t {
    unknown,        ///< somebody else has taken its exit status
    exited,         ///< value: the exit code
    signaled,       ///< value: the signal
    out_of_memory,  ///< the kernel's out-of-memory killer chose it
    time_limit,     ///< the pool killed it: its task went on after its time limit and grace
    stopped,        ///< ... after Engine::stop and grace
    memory_limit,   ///< ... with more memory than it may have, and grace
    bad_record,     ///< ... it had written a record that cannot be
};

/// Workers that ended in one way.
struct Deaths {
    DeathCause cause = DeathCause::unknown;  ///< Which.
    int value = 0;                           ///< The exit code or the signal, if the cause has one.
    std::uint64_t count = 0;                 ///< How many.
};

/// Counted since the pool was made. An item of a map is a task. submitted = done + failed + cancelled + those that are
/// not over.
struct PoolStats {
    std::uint64_t submitted = 0;          ///< in all
    std::uint64_t done = 0;               ///< with a result
    std::uint64_t failed = 0;             ///< with an exception, or lost with a worker
    std::uint64_t cancelled = 0;          ///< before they started, or by the pool's end
    std::uint64_t retried = 0;            ///< runs begun anew after a worker died under a task
    std::uint64_t requeued = 0;           ///< tasks that a dead worker had and had not started, given to others
    std::uint64_t workers_alive = 0;      ///< now
    std::uint64_t workers_born = 0;       ///< in all
    std::uint64_t workers_retired = 0;    ///< ended as they were told: limit of tasks or memory, or the pool's end
    std::vector<Deaths> workers_died;     ///< ended otherwise, by cause
    std::uint64_t workers_restarted = 0;  ///< asked for in the place of one that has ended
    std::uint64_t bytes_sent = 0;         ///< inputs and functions
    std::uint64_t bytes_received = 0;     ///< results, with what they travel in
};

}  // namespace hardwork
