// One function for many items: trivial ones, and those of the question's job.
#include <tbb/blocked_range.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "work.hpp"

namespace {

constexpr int kMany = 1'000'000;
// The question's numbers. A run takes seconds: one is enough, some times.
constexpr std::uint32_t kFirst = 100;
constexpr int kRuns = 3;
std::uint32_t last() { return static_cast<std::uint32_t>(bench::many(1'000'000)); }

void map_hardwork(benchmark::State& state) {
    hardwork::ProcessPool& pool = bench::pool();
    for (auto _ : state) {
        std::int64_t sum = 0;
        for (const int value : pool.map(bench::trivial, hardwork::range(0, kMany)))
            sum += value;
        benchmark::DoNotOptimize(sum);
    }
    bench::count_items(state, kMany);
}
BENCHMARK(map_hardwork)->Name("map/hardwork")->UseRealTime();

void map_tbb(benchmark::State& state) {
    tbb::task_arena arena(bench::kWorkers);
    // Called through a pointer, as ours is: else nothing is left of the call.
    int (*volatile function)(int) = bench::trivial;
    for (auto _ : state) {
        std::vector<int> values(kMany);
        int (*const call)(int) = function;
        arena.execute(
            [&] { tbb::parallel_for(0, kMany, [&](int i) { values[static_cast<std::size_t>(i)] = call(i); }); });
        std::int64_t sum = 0;
        for (const int value : values)
            sum += value;
        benchmark::DoNotOptimize(sum);
    }
    bench::count_items(state, kMany);
}
BENCHMARK(map_tbb)->Name("map/tbb::parallel_for")->UseRealTime();

void question_hardwork(benchmark::State& state) {
    hardwork::ProcessPool& pool = bench::pool();
    for (auto _ : state) {
        std::size_t factors = 0;
        for (const auto& each : pool.map(bench::factorize, hardwork::range(kFirst, last())))
            factors += each.size();
        benchmark::DoNotOptimize(factors);
    }
    bench::count_items(state, last() - kFirst);
}
BENCHMARK(question_hardwork)->Name("question/hardwork")->UseRealTime()->Iterations(1)->Repetitions(kRuns);

void question_tbb(benchmark::State& state) {
    tbb::task_arena arena(bench::kWorkers);
    for (auto _ : state) {
        std::vector<std::vector<std::uint32_t>> all(last() - kFirst);
        arena.execute([&] {
            tbb::parallel_for(kFirst, last(), [&](std::uint32_t n) { all[n - kFirst] = bench::factorize(n); });
        });
        std::size_t factors = 0;
        for (const auto& each : all)
            factors += each.size();
        benchmark::DoNotOptimize(factors);
    }
    bench::count_items(state, last() - kFirst);
}
// In this thread alone: half of its time is the floor of two.
void question_alone(benchmark::State& state) {
    for (auto _ : state) {
        std::size_t factors = 0;
        for (std::uint32_t n = kFirst; n < last(); ++n)
            factors += bench::factorize(n).size();
        benchmark::DoNotOptimize(factors);
    }
    bench::count_items(state, last() - kFirst);
}
BENCHMARK(question_alone)->Name("question/one thread")->UseRealTime()->Iterations(1)->Repetitions(kRuns);

BENCHMARK(question_tbb)->Name("question/tbb::parallel_for")->UseRealTime()->Iterations(1)->Repetitions(kRuns);

}  // namespace
