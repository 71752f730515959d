// How often a pool may try again to make workers that never get to work. Pure policy: time is given, nothing is read.
#pragma once

#include <algorithm>
#include <cstdint>

namespace hardwork {

// A birth is barren when its process ends before it was ready for a task: a __main__ that cannot be imported, an
// initializer that crashes, no memory. Deaths of workers that were ready are free. Barren births in a row wait longer
// and longer, and after `limit` of them there is no point in going on.
//
// The workers of one generation are born at the same time and fail at the same time: as many as there are workers
// count as one step.
//
// A worker that was killed (SIGKILL, SIGTERM) before it was ready says little about the next one: somebody goes about
// killing processes. But the kernel's out-of-memory killer does it too, and may do it for ever: several count as one.
class Budget {
  public:
    static constexpr std::uint64_t kFirstPauseNs = 10'000'000;
    static constexpr std::uint64_t kLongestPauseNs = 2'560'000'000;
    static constexpr std::uint32_t kDefaultLimit = 5;
    static constexpr std::uint32_t kKilledPerBarren = 8;

    explicit Budget(std::uint32_t workers = 1, std::uint32_t limit = kDefaultLimit)
        : free_(std::max(workers, 1U)), limit_(std::max(limit, 1U) - 1 + free_) {}

    // A worker reached IDLE: the pool can make workers.
    void on_ready() {
        barren_ = 0;
        killed_ = 0;
        next_birth_at_ = 0;
    }

    // With one worker: 0, 10 ms, 40 ms, 160 ms after the first, second, third, fourth; the fifth exhausts.
    void on_barren(std::uint64_t now_ns) {
        if (barren_ < limit_) ++barren_;
        next_birth_at_ = now_ns + pause();
    }

    void on_killed(std::uint64_t now_ns) {
        if (++killed_ < kKilledPerBarren) return;
        killed_ = 0;
        on_barren(now_ns);
    }

    // No birth before this time; 0: at once.
    std::uint64_t next_birth_at() const { return next_birth_at_; }
    bool exhausted() const { return barren_ >= limit_; }
    std::uint32_t barren_in_a_row() const { return barren_; }

  private:
    std::uint64_t pause() const {
        if (barren_ <= free_) return 0;
        const std::uint32_t step = std::min(barren_ - free_ - 1, 8U);  // 4^8 is beyond the longest pause
        return std::min(kFirstPauseNs << (2 * step), kLongestPauseNs);
    }

    std::uint32_t free_;
    std::uint32_t limit_;
    std::uint32_t barren_ = 0;
    std::uint32_t killed_ = 0;  // since the last that counted
    std::uint64_t next_birth_at_ = 0;
};

}  // namespace hardwork
