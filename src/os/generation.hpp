// Which process this is, in an instruction: getpid() is a system call, and the hot paths ask at each submit.
#pragma once

#include <cstdint>

#include "base/atomic.hpp"

namespace hardwork::os {

extern Atomic<std::uint32_t> fork_count;  // use process_generation()

// A number that differs between a process and its forked children (pthread_atfork(3)).
inline std::uint32_t process_generation() { return fork_count.load(std::memory_order_relaxed); }

}  // namespace hardwork::os
