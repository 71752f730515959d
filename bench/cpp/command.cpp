// A process a line: the command, against xargs.
#include <cstdlib>
#include <string>

#if defined(HARDWORK_BOOST_PROCESS)
#include <boost/process.hpp>
#endif

#include "work.hpp"

namespace {

// Each run takes many seconds: one is enough, some times.
constexpr int kRuns = 3;

void run_lines(benchmark::State& state, const std::string& command) {
    const int lines = bench::many(10'000);
    const std::string line = "seq " + std::to_string(lines) + " | " + command;
    for (auto _ : state) {
        if (std::system(line.c_str()) != 0) return state.SkipWithError("it failed");
    }
    bench::count_items(state, lines);
}

// HARDWORK_COMMAND: where it was built.
void command_hardwork(benchmark::State& state) { run_lines(state, "'" HARDWORK_COMMAND "' map -j 2 --exec true"); }
BENCHMARK(command_hardwork)
    ->Name("true/hardwork")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Repetitions(kRuns);

void command_xargs(benchmark::State& state) { run_lines(state, "xargs -P 2 -n 1 true"); }
BENCHMARK(command_xargs)
    ->Name("true/xargs -P")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Repetitions(kRuns);

#if defined(HARDWORK_BOOST_PROCESS)
// As one writes it by hand: two commands at a time, each waited for in its turn.
void command_boost(benchmark::State& state) {
    const int lines = bench::many(10'000);
    const auto program = boost::process::search_path("true");
    for (auto _ : state) {
        boost::process::child running[bench::kWorkers];
        for (int i = 0; i < lines; ++i) {
            boost::process::child& next = running[i % bench::kWorkers];
            if (next.valid()) next.wait();
            next = boost::process::child(program, std::to_string(i));
        }
        for (boost::process::child& last : running)
            last.wait();
    }
    bench::count_items(state, lines);
}
BENCHMARK(command_boost)
    ->Name("true/boost::process")
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1)
    ->Repetitions(kRuns);
#endif

}  // namespace
