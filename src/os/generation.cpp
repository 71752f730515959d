#include "os/generation.hpp"

#include <pthread.h>

namespace hardwork::os {

Atomic<std::uint32_t> fork_count{0};

namespace {

void in_child() { fork_count.fetch_add(1, std::memory_order_relaxed); }

// At load time, before any pool can exist.
[[maybe_unused]] const int registered = pthread_atfork(nullptr, nullptr, in_child);

}  // namespace

}  // namespace hardwork::os
