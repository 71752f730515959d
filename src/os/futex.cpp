#include "os/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/clock.hpp"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449  // the same number on every architecture since Linux 5.16
#endif

namespace hardwork::os {

namespace {

// As linux/futex.h of 5.16 has it; older headers lack it.
struct WaitvEntry {
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
};
constexpr std::uint32_t kFutex32 = 2;
constexpr std::uint64_t kFallbackNs = 200'000;

Atomic<bool> waitv_enabled{true};

timespec to_timespec(std::uint64_t ns) {
    return {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
}

// The address of the value; the kernel reads it itself.
const void* address(const Atomic<std::uint32_t>& word) { return &word; }

Wake outcome(long result) {
    if (result >= 0) return Wake::woken;
    if (errno == ETIMEDOUT) return Wake::timeout;
    if (errno == EINTR) return Wake::interrupted;
    return Wake::woken;  // EAGAIN: the value had changed
}

}  // namespace

Wake futex_wait(const Atomic<std::uint32_t>& word, std::uint32_t expected, std::uint64_t deadline_ns) {
    timespec until{};
    const bool timed = deadline_ns != kNoDeadline;
    if (timed) until = to_timespec(deadline_ns);
    // WAIT_BITSET takes an absolute CLOCK_MONOTONIC time; plain WAIT a relative one that drifts at each restart.
    return outcome(syscall(SYS_futex, address(word), FUTEX_WAIT_BITSET, expected, timed ? &until : nullptr, nullptr,
                           FUTEX_BITSET_MATCH_ANY));
}

int futex_wake(Atomic<std::uint32_t>& word, int count) {
    const long woken = syscall(SYS_futex, address(word), FUTEX_WAKE, count, nullptr, nullptr, 0);
    return woken > 0 ? static_cast<int>(woken) : 0;
}

void futex_set_waitv_enabled(bool enabled) { waitv_enabled.store(enabled, std::memory_order_relaxed); }

Wake futex_wait_any(std::span<const FutexWait> words, std::uint64_t deadline_ns) {
    if (words.size() == 1) return futex_wait(*words[0].word, words[0].expected, deadline_ns);
    if (words.size() <= kMostFutexWaits && waitv_enabled.load(std::memory_order_relaxed)) {
        std::array<WaitvEntry, kMostFutexWaits> entries;
        for (std::size_t i = 0; i < words.size(); ++i) {
            entries[i] = {words[i].expected, reinterpret_cast<std::uintptr_t>(address(*words[i].word)), kFutex32, 0};
        }
        timespec until{};
        const bool timed = deadline_ns != kNoDeadline;
        if (timed) until = to_timespec(deadline_ns);
        const long result = syscall(SYS_futex_waitv, entries.data(), static_cast<unsigned>(words.size()), 0U,
                                    timed ? &until : nullptr, CLOCK_MONOTONIC);
        if (result >= 0 || (errno != ENOSYS && errno != EPERM)) return outcome(result);
        waitv_enabled.store(false, std::memory_order_relaxed);
    }
    const std::uint64_t soon = now_ns() + kFallbackNs;
    const Wake wake = futex_wait(*words[0].word, words[0].expected, std::min(soon, deadline_ns));
    return wake == Wake::timeout && soon < deadline_ns ? Wake::woken : wake;
}

}  // namespace hardwork::os
