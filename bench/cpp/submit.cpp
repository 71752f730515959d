// Many futures of a trivial function, then all their values: against threads, and a pool of threads.
#include <tbb/task_arena.h>
#include <tbb/task_group.h>

#include <future>

#include "work.hpp"

namespace {

using bench::count_items;
using bench::trivial;

void check(benchmark::State& state, std::int64_t sum, std::int64_t count) {
    if (sum != count * (count + 1) / 2) state.SkipWithError("a wrong sum");
}

void submit_hardwork(benchmark::State& state) {
    const int many = bench::many(1'000'000);
    hardwork::ProcessPool& pool = bench::pool();
    double cpu = 0;
    for (auto _ : state) {
        const double begin = bench::cpu_seconds();
        std::vector<hardwork::Future<int>> futures;
        futures.reserve(static_cast<std::size_t>(many));
        for (int i = 0; i < many; ++i)
            futures.push_back(pool.submit(trivial, i));
        std::int64_t sum = 0;
        for (auto& future : futures)
            sum += future.get();
        cpu += bench::cpu_seconds() - begin;
        check(state, sum, many);
    }
    count_items(state, many);
    state.counters["parent_s"] = cpu / (static_cast<double>(state.iterations()) * many);
}
BENCHMARK(submit_hardwork)->Name("submit/hardwork")->UseRealTime();

void submit_async(benchmark::State& state) {
    const int many = bench::many(2'000);
    for (auto _ : state) {
        std::vector<std::future<int>> futures;
        futures.reserve(static_cast<std::size_t>(many));
        for (int i = 0; i < many; ++i)
            futures.push_back(std::async(std::launch::async, trivial, i));
        std::int64_t sum = 0;
        for (auto& future : futures)
            sum += future.get();
        check(state, sum, many);
    }
    count_items(state, many);
}
BENCHMARK(submit_async)->Name("submit/std::async")->UseRealTime();

void submit_tbb(benchmark::State& state) {
    const int many = bench::many(1'000'000);
    tbb::task_arena arena(bench::kWorkers);
    for (auto _ : state) {
        std::vector<int> values(static_cast<std::size_t>(many));
        arena.execute([&] {
            tbb::task_group group;
            for (int i = 0; i < many; ++i)
                group.run([&values, i] { values[static_cast<std::size_t>(i)] = trivial(i); });
            group.wait();
        });
        std::int64_t sum = 0;
        for (const int value : values)
            sum += value;
        check(state, sum, many);
    }
    count_items(state, many);
}
BENCHMARK(submit_tbb)->Name("submit/tbb::task_group")->UseRealTime();

}  // namespace
