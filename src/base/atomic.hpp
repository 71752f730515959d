// The alias that every atomic in the tree goes through, so that fault points and model tests can hook in at one place.
#pragma once

#include <atomic>
#include <cstdint>

namespace hardwork {

template <class T>
using Atomic = std::atomic<T>;

// Memory that two processes share holds atomics; that works only if they need no lock of their own.
static_assert(Atomic<std::uint32_t>::is_always_lock_free, "a lock inside an atomic would live in one process only");
static_assert(Atomic<std::uint64_t>::is_always_lock_free, "a lock inside an atomic would live in one process only");
static_assert(sizeof(Atomic<std::uint64_t>) == 8, "atomics in shared memory must have the size of their value");

inline void cpu_relax() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
}

// The store-load barrier between "I published" and "is anybody asleep?". A locked add to the stack is what the
// compiler itself uses for a seq_cst fence on x86, but ThreadSanitizer does not understand the plain fence.
inline void full_fence() { std::atomic_thread_fence(std::memory_order_seq_cst); }

// The same right after a successful compare-and-swap: on x86 its locked instruction was one already.
inline void fence_after_rmw() {
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
    std::atomic_signal_fence(std::memory_order_seq_cst);
#else
    full_fence();
#endif
}

}  // namespace hardwork
