// What the engine counts for stats(). Under its lock, all of it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "hardwork/engine.hpp"
#include "hardwork/stats.hpp"

namespace hardwork {

struct Tally {
    std::array<std::uint64_t, kEndings> ended{};  // tasks and items, by Ending
    std::uint64_t retried = 0;
    std::uint64_t requeued = 0;
    std::uint64_t born = 0;
    std::uint64_t retired = 0;
    std::uint64_t restarted = 0;
    std::uint64_t to_replace = 0;  // workers that have ended and in whose place none was asked for yet
    std::uint64_t sent = 0;
    std::uint64_t received = 0;
    std::vector<Deaths> died;

    void count(Ending ending, std::uint64_t times = 1) { ended[static_cast<std::size_t>(ending)] += times; }
    void count(DeathCause cause, int value);
};

}  // namespace hardwork
