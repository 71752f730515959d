// How a thread of Python waits for the engine: timeouts as Python gives them, signals handled in between.
#pragma once

#include "state.hpp"

namespace hardwork::py {

inline constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};

// The point in CLOCK_MONOTONIC of a timeout in seconds; None or nullptr: never. False with a Python error.
bool deadline_of(PyObject* timeout, std::uint64_t& deadline);

enum class Waited { done, timeout, raised };  // raised: with a Python error, of a signal's handler for example

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
