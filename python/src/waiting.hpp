// How a thread of Python waits for the engine: timeouts as Python gives them, signals handled in between.
#pragma once

#include "state.hpp"

namespace hardwork::py {

inline constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};

// The point in CLOCK_MONOTONIC of a timeout in seconds; None or nullptr: never. False with a Python error.
bool deadline_of(PyObject* timeout, std::uint64_t& deadline);

enum class Waited { done, timeout, raised };  // raised: with a Python error, of a signal's handler for example

// A signal that comes together with something else that wakes, or between the look for it and the sleep, does not
// interrupt the sleep. (At a terminal's Ctrl-C the workers are woken too, and ring in the same moment.) So nobody sleeps
// longer than this without looking again.
inline constexpr std::uint64_t kLookNs = 100'000'000;

// Sleeps by `sleep(deadline)`, which is called without the GIL and says how it ended; heeds signals meanwhile.
template <class Sleep>
Waited sleep_until(std::uint64_t deadline, Sleep sleep) {
    for (;;) {
        WaitEnd end;
        std::uint64_t now;
        Py_BEGIN_ALLOW_THREADS now = monotonic_ns();
        end = sleep(deadline - now > kLookNs && deadline > now ? now + kLookNs : deadline);
        if (end == WaitEnd::timeout) now = monotonic_ns();
        // Also at the end: else a handler would raise in the midst of decoding what has come, a KeyboardInterrupt of the
        // worker's own perhaps, and would be taken for it.
        Py_END_ALLOW_THREADS if (PyErr_CheckSignals() < 0) return Waited::raised;
        if (end == WaitEnd::done) return Waited::done;
        if (end == WaitEnd::timeout && now >= deadline) return Waited::timeout;
    }
}

// Until the task is done.
Waited wait_for_task(const EngineRef& engine, Task* task, std::uint64_t deadline);
// Until a block of the map's results is there, or its end.
Waited wait_for_block(const EngineRef& engine, Job* job, std::uint64_t deadline);

// A lock that is taken without the GIL, and given up when a signal's handler raises.
class Turn {
  public:
    Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn();
    // raised also if this very thread has it: a handler, or code run by unpickling, asks for what it interrupted.
    Waited take(std::uint64_t deadline);
    void give();
    bool taken() const { return owner_ != 0; }

  private:
    PyThread_type_lock lock_;
    unsigned long owner_ = 0;
};

}  // namespace hardwork::py
