// Monotonic time, and the cycle counter for measuring what takes nanoseconds.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace hardwork::os {

std::uint64_t now_ns();  // CLOCK_MONOTONIC

// A counter of constant rate, read in a few nanoseconds; now_ns() where the processor has none.
inline std::uint64_t ticks() {
#if defined(__x86_64__)
    return __rdtsc();
#elif defined(__aarch64__)
    std::uint64_t value;
    asm volatile("mrs %0, cntvct_el0" : "=r"(value));
    return value;
#else
    return now_ns();
#endif
}

// Ticks per 1024 ns, measured once per process (about 200 us at the first call) and inherited by forked ones.
std::uint64_t ticks_per_1024ns();
inline std::uint64_t ticks_to_ns(std::uint64_t t, std::uint64_t per_1024ns) { return (t << 10) / per_1024ns; }

}  // namespace hardwork::os
