// One task at a time: against two processes that do nothing but wake each other.
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include "work.hpp"

namespace {

void round_trip_hardwork(benchmark::State& state) {
    hardwork::ProcessPool& pool = bench::pool();
    for (auto _ : state)
        benchmark::DoNotOptimize(pool.submit(bench::trivial, 1).get());
    bench::count_items(state, 1);
}
BENCHMARK(round_trip_hardwork)->Name("round trip/hardwork")->UseRealTime();

// A word in shared memory that two processes count up by turns. Who waits looks for a while, then sleeps.
struct Table {
    std::atomic<std::uint32_t> turn{0};
    std::atomic<std::uint32_t> asleep{0};
};
constexpr int kLooks = 2'000;

void wait_for(Table& table, std::uint32_t turn) {
    for (int look = 0; table.turn.load(std::memory_order_acquire) != turn; ++look) {
        if (look < kLooks) {
            __builtin_ia32_pause();
            continue;
        }
        const std::uint32_t seen = table.turn.load();
        table.asleep.store(1);
        if (table.turn.load() == seen && seen != turn) {
            syscall(SYS_futex, &table.turn, FUTEX_WAIT, seen, nullptr, nullptr, 0);
        }
        table.asleep.store(0);
    }
}
void pass(Table& table, std::uint32_t turn) {
    table.turn.store(turn);
    if (table.asleep.load() != 0) syscall(SYS_futex, &table.turn, FUTEX_WAKE, 1, nullptr, nullptr, 0);
}

void round_trip_futex(benchmark::State& state) {
    constexpr std::uint32_t kOver = ~0U;
    void* memory = mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return state.SkipWithError("mmap");
    Table& table = *new (memory) Table;
    const pid_t child = fork();
    if (child == 0) {
        for (std::uint32_t turn = 1;; turn += 2) {
            while (table.turn.load() != turn && table.turn.load() != kOver)
                __builtin_ia32_pause();
            if (table.turn.load() == kOver) _exit(0);
            pass(table, turn + 1);
        }
    }
    std::uint32_t turn = 0;
    for (auto _ : state) {
        pass(table, turn + 1);
        turn += 2;
        wait_for(table, turn);
    }
    bench::count_items(state, 1);
    table.turn.store(kOver);
    waitpid(child, nullptr, 0);
    munmap(memory, sizeof(Table));
}
BENCHMARK(round_trip_futex)->Name("round trip/futex ping-pong")->UseRealTime();

}  // namespace
