/// @file
/// What can go wrong in the engine, as values. The faces turn these into exceptions by one table each.
#pragma once

#include <cstdint>

namespace hardwork {

/// What kind of thing went wrong.
enum class Errc : int {
    ok = 0,
    system,            ///< a system call failed: see sys_errno and what
    unsupported,       ///< the kernel or a container's filter refuses what the engine needs (memfd, pidfd, sealing)
    out_of_memory,     ///< the parent could not get memory for the task
    invalid_argument,  ///< a caller's mistake, named in what
    shut_down,         ///< submit after shutdown
    broken,            ///< the pool gave up: workers cannot be born, or an initializer failed
    forked,            ///< used in a process other than the one that made it
};

/// `what` is a string literal: what was tried ("memfd_create", "start a worker").
struct Error {
    Errc code = Errc::ok;   ///< What went wrong.
    int sys_errno = 0;      ///< The system's errno, or 0.
    const char* what = "";  ///< What was tried.
};

/// What a worker was doing; written by the worker into its lane, read by the parent when the worker is dead.
enum class Phase : std::uint8_t {
    spawn = 0,    ///< process exists, has not reached its first instruction of ours
    init = 1,     ///< preparing: __main__, initializer; later a function that it is to know
    idle = 2,     ///< waits for work
    claim = 3,    ///< took a task, has not touched it: safe to give to another worker
    decode = 4,   ///< turning the input's bytes into objects: user code may run here
    run = 5,      ///< in the task
    encode = 6,   ///< the task has ended, its result is being turned into bytes
    publish = 7,  ///< the result's bytes are being written to the ring
};

/// Its name: "RUN".
constexpr const char* phase_name(Phase phase) {
    switch (phase) {
        case Phase::spawn: return "SPAWN";
        case Phase::init: return "INIT";
        case Phase::idle: return "IDLE";
        case Phase::claim: return "CLAIM";
        case Phase::decode: return "DECODE";
        case Phase::run: return "RUN";
        case Phase::encode: return "ENCODE";
        case Phase::publish: return "PUBLISH";
    }
    return "UNKNOWN";
}

/// How a process ended. `unknown`: somebody else reaped it (SIGCHLD ignored, or a waitpid(-1) in the application).
struct ExitStatus {
    /// In which way.
    enum class Kind : std::uint8_t { unknown, exited, signaled };
    Kind kind = Kind::unknown;  ///< In which way.
    int value = 0;              ///< exit code or signal number
};

/// The death of a worker as its task's error reports it.
struct WorkerDeath {
    std::int32_t pid = 0;         ///< Its process id.
    ExitStatus status{};          ///< How it ended.
    Phase phase = Phase::spawn;   ///< What it was doing.
    std::uint64_t task = 0;       ///< the engine's number of the task it was running; 0 if none
    bool refused_record = false;  ///< the worker was ended because it wrote a record that cannot be
    bool out_of_memory = false;   ///< the kernel's out-of-memory killer chose it
};

}  // namespace hardwork
