// Sleeping on a word of memory, also one that two processes share (futex(2), futex_waitv since Linux 5.16).
#pragma once

#include <cstdint>
#include <span>

#include "base/atomic.hpp"

namespace hardwork::os {

enum class Wake {
    woken,        // woken, or the value had already changed, or spuriously: look again
    timeout,      // the deadline passed
    interrupted,  // a signal handler ran (EINTR)
};

inline constexpr std::uint64_t kNoDeadline = ~std::uint64_t{0};

// Sleeps while *word == expected. deadline: absolute now_ns() (CLOCK_MONOTONIC) or kNoDeadline.
// Works for words in shared and in private memory.
Wake futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, std::uint64_t deadline_ns);

// Wakes up to `count` sleepers; returns how many.
int futex_wake(Atomic<std::uint32_t>& word, int count);

struct FutexWait {
    const Atomic<std::uint32_t>* word;
    std::uint32_t expected;
};

inline constexpr std::size_t kMostFutexWaits = 128;

// Sleeps while every word has its expected value. The first word must be in this process's private use (an event
// that other threads of the process ring). Where futex_waitv is missing or refused (before Linux 5.16, seccomp), or
// with more than kMostFutexWaits, sleeps on the first word alone and at most 200 us: the caller looks again.
Wake futex_wait_any(std::span<const FutexWait> words, std::uint64_t deadline_ns);

// For tests: forces the fallback.
void futex_set_waitv_enabled(bool enabled);

}  // namespace hardwork::os
