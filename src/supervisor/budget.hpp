// How often a pool may try again to make workers that never get to work. Pure policy: time is given, nothing is read.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace hardwork {

// A worker is fruitful from its first result on, or when a task is lost with it. One that ends before that, and was not
// told to, is barren. Barren ones in a row wait longer and longer for the next, and there are three kinds of rows:
//
//   unborn   ended before they were ready: a __main__ that cannot be imported, an initializer that crashes, no memory
//   useless  were ready, and ended while work waited for them
//   idle     were ready, and ended while no work waited
//
// After `limit` of one of the first two there is no point in going on. Of the third nobody can say: whoever kills workers
// that have nothing to do holds nothing up, so they never exhaust, and their pause is not waited for when there is work.
//
// The workers of one generation are born at the same time and fail at the same time: as many as there are workers
// count as one step.
//
// A worker that was killed (SIGKILL, SIGTERM) says little about the next one: somebody goes about killing processes. But
// the kernel's out-of-memory killer does it too, and may do it for ever: several count as one.
class Budget {
  public:
    static constexpr std::uint64_t kFirstPauseNs = 10'000'000;
    static constexpr std::uint64_t kLongestPauseNs = 2'560'000'000;
    static constexpr std::uint32_t kDefaultLimit = 5;
    static constexpr std::uint32_t kKilledPerBarren = 8;

    enum class Barren : std::uint8_t { unborn, useless, idle };

    explicit Budget(std::uint32_t workers = 1, std::uint32_t limit = kDefaultLimit)
        : free_(std::max(workers, 1U)), limit_(std::max(limit, 1U) - 1 + free_) {}

    // A worker reached IDLE: the pool can make workers.
    void on_ready() { row(Barren::unborn) = {}; }
    // One has done something.
    void on_fruitful() { rows_ = {}; }

    // With one worker: 0, 10 ms, 40 ms, 160 ms after the first, second, third, fourth; the fifth exhausts.
    void on_barren(Barren kind, std::uint64_t now_ns) {
        Row& one = row(kind);
        if (one.count < limit_ + 8) ++one.count;  // a bound, beyond the longest pause
        one.next_birth_at = now_ns + pause(one.count);
    }

    void on_killed(Barren kind, std::uint64_t now_ns) {
        if (++row(kind).killed < kKilledPerBarren) return;
        row(kind).killed = 0;
        on_barren(kind, now_ns);
    }

    // No birth before this time; 0: at once.
    std::uint64_t next_birth_at(bool work_waits) const {
        const std::uint64_t at = std::max(row(Barren::unborn).next_birth_at, row(Barren::useless).next_birth_at);
        return work_waits ? at : std::max(at, row(Barren::idle).next_birth_at);
    }
    bool exhausted() const { return row(Barren::unborn).count >= limit_ || row(Barren::useless).count >= limit_; }
    std::uint32_t in_a_row(Barren kind) const { return row(kind).count; }

  private:
    struct Row {
        std::uint32_t count = 0;
        std::uint32_t killed = 0;  // since the last that counted
        std::uint64_t next_birth_at = 0;
    };
    Row& row(Barren kind) { return rows_[static_cast<std::size_t>(kind)]; }
    const Row& row(Barren kind) const { return rows_[static_cast<std::size_t>(kind)]; }

    std::uint64_t pause(std::uint32_t count) const {
        if (count <= free_) return 0;
        const std::uint32_t step = std::min(count - free_ - 1, 8U);  // 4^8 is beyond the longest pause
        return std::min(kFirstPauseNs << (2 * step), kLongestPauseNs);
    }

    std::uint32_t free_;
    std::uint32_t limit_;
    std::array<Row, 3> rows_{};
};

}  // namespace hardwork
