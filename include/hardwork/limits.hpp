// What a task may use up, and what happens then. The same for both faces; the engine keeps to it.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#include <cstdint>

namespace hardwork {

struct TaskLimits {
    // How long it may run, from when a worker starts it (its input is decoded then), in ns; 0: as long as it likes.
    // Then it is stopped: softly (an exception in the task, where the face has that), and after `grace_ns` by SIGTERM
    // and SIGKILL of its worker.
    std::uint64_t timeout_ns = 0;
    std::uint64_t grace_ns = 500'000'000;
    // How many times it is run again after its worker died: for tasks that may be run twice. Not after a time limit, and
    // never after an exception.
    std::uint32_t retries = 0;

    bool operator==(const TaskLimits&) const = default;
};

// Why a running task is to end.
enum class StopReason : std::uint32_t {
    none = 0,
    timeout = 1,  // its time limit
    request = 2,  // somebody asked for it: Engine::stop
    memory = 3,   // its worker has more than twice EngineOptions::max_memory_per_worker
};

}  // namespace hardwork
