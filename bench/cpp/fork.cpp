// A process for each task, by hand. Forked from a small process, since a large one takes milliseconds to fork.
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>

#include "work.hpp"

namespace {

// Of the small process, as seen from here.
int requests = -1;
int answers = -1;

bool fork_once() {
    int ends[2];
    if (pipe(ends) != 0) return false;
    const pid_t child = fork();
    if (child == 0) {
        const int value = bench::trivial(1);
        _exit(write(ends[1], &value, sizeof value) == sizeof value ? 0 : 1);
    }
    close(ends[1]);
    int value = 0;
    const bool fine = child > 0 && read(ends[0], &value, sizeof value) == sizeof value && value == 2;
    close(ends[0]);
    if (child > 0) waitpid(child, nullptr, 0);
    return fine;
}

// Answers each byte with the seconds that one task took; a negative number is a failure. Ends with its parent.
[[noreturn]] void live_small(int from, int to) {
    for (char byte = 0; read(from, &byte, 1) == 1;) {
        const auto begin = std::chrono::steady_clock::now();
        const bool fine = fork_once();
        const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
        const double answer = fine ? time.count() : -1;
        if (write(to, &answer, sizeof answer) != sizeof answer) break;
    }
    _exit(0);
}

void submit_fork(benchmark::State& state) {
    for (auto _ : state) {
        double seconds = -1;
        if (write(requests, "", 1) != 1 || read(answers, &seconds, sizeof seconds) != sizeof seconds || seconds < 0) {
            return state.SkipWithError("the small process could not do it");
        }
        state.SetIterationTime(seconds);
    }
    bench::count_items(state, 1);
}
BENCHMARK(submit_fork)->Name("submit/fork and pipe")->UseManualTime();

}  // namespace

void bench::start_small_process() {
    int there[2];
    int back[2];
    if (pipe(there) != 0 || pipe(back) != 0) return;
    const pid_t child = fork();
    if (child == 0) {
        close(there[1]);
        close(back[0]);
        live_small(there[0], back[1]);
    }
    close(there[0]);
    close(back[1]);
    requests = there[1];
    answers = back[0];
}
