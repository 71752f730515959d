// How a ProcessPool is made.
#pragma once

#include <cstdint>
#include <functional>

namespace hardwork {

// All CPUs that this process may use: its affinity mask and the quota of its control group.
inline constexpr int kAllCpus = -1;

struct Options {
    int workers = kAllCpus;                  // how many worker processes; 1 to 1024, or kAllCpus
    std::function<void()> initializer = {};  // called in each worker before its first task; if it throws, BrokenPool
    std::uint32_t max_tasks_per_worker = 0;  // a worker is replaced after so many tasks; 0: never
};

}  // namespace hardwork
