// What all of the benchmarks share: how many do the work, the pool, and the question's job.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>
#include <ctime>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace bench {

inline constexpr int kWorkers = 2;

// Whether all is only tried, with a hundredth of the work: --quick.
bool& quick();
inline int many(int count) { return quick() ? count / 100 : count; }

// The one pool, made when it is first asked for; main() has prepared its template before there were threads.
hardwork::ProcessPool& pool();

// CPU time of this process in seconds: what a benchmark costs the parent.
inline double cpu_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Each iteration has done so many things.
inline void count_items(benchmark::State& state, std::int64_t each) {
    state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * each);
}

// Forks a process that stays small, for what costs more the larger a process is. To be called first in main.
void start_small_process();

inline int trivial(int n) { return n + 1; }

std::vector<std::uint32_t> factorize(std::uint32_t n);

}  // namespace bench
