// A process a line: the command, against xargs.
#include <cstdlib>
#include <string>

#include "work.hpp"

namespace {

constexpr int kLines = 1'000;

void run_lines(benchmark::State& state, const std::string& command) {
    const std::string line = "seq " + std::to_string(kLines) + " | " + command;
    for (auto _ : state) {
        if (std::system(line.c_str()) != 0) return state.SkipWithError("it failed");
    }
    bench::count_items(state, kLines);
}

// HARDWORK_COMMAND: where it was built.
void command_hardwork(benchmark::State& state) { run_lines(state, "'" HARDWORK_COMMAND "' map -j 2 --exec true"); }
BENCHMARK(command_hardwork)->Name("true/hardwork")->UseRealTime()->Unit(benchmark::kMillisecond);

void command_xargs(benchmark::State& state) { run_lines(state, "xargs -P 2 -n 1 true"); }
BENCHMARK(command_xargs)->Name("true/xargs -P")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
