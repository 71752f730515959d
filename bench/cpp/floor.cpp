// What could not be less: the least that two processes must do to hand on a number, and to hand on a million of them. Shown
// beside what misses its target.
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <new>

#include "work.hpp"

namespace {

// A ring that one process fills and another empties.
struct Ring {
    static constexpr std::uint32_t kSlots = 4096;
    struct Slot {
        std::uint64_t words[3];  // as much as a small task has
    };
    alignas(64) std::atomic<std::uint32_t> tail{0};
    alignas(64) std::atomic<std::uint32_t> head{0};
    alignas(64) std::array<Slot, kSlots> slots;

    bool put(std::uint64_t value) {
        const std::uint32_t at = tail.load(std::memory_order_relaxed);
        if (at - head.load(std::memory_order_acquire) == kSlots) return false;
        slots[at % kSlots] = {{value, value, value}};
        tail.store(at + 1, std::memory_order_release);
        return true;
    }
    bool take(std::uint64_t& value) {
        const std::uint32_t at = head.load(std::memory_order_relaxed);
        if (at == tail.load(std::memory_order_acquire)) return false;
        value = slots[at % kSlots].words[0];
        head.store(at + 1, std::memory_order_release);
        return true;
    }
};
struct Pair {
    Ring there;
    Ring back;
    std::atomic<bool> over{false};
};
// Results as a worker writes them, and how far it is.
struct Block {
    static constexpr std::uint32_t kItems = 1'000'000;
    alignas(64) std::atomic<std::uint32_t> wanted{0};
    alignas(64) std::atomic<std::uint32_t> done{0};
    std::atomic<bool> over{false};
    alignas(64) std::array<int, kItems> values;
};

template <class T>
T* shared() {
    void* memory = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? nullptr : new (memory) T;
}

void pause_a_moment() { __builtin_ia32_pause(); }

[[noreturn]] void answer(Pair& pair) {
    for (std::uint64_t value = 0;;) {
        if (!pair.there.take(value)) {
            if (pair.over.load()) _exit(0);
            pause_a_moment();
            continue;
        }
        const auto answer = static_cast<std::uint64_t>(bench::trivial(static_cast<int>(value)));
        while (!pair.back.put(answer))
            pause_a_moment();
    }
}

void floor_submit(benchmark::State& state) {
    const int many = bench::many(1'000'000);
    Pair* const pair = shared<Pair>();
    if (pair == nullptr) return state.SkipWithError("mmap");
    const pid_t child = fork();
    if (child == 0) answer(*pair);
    for (auto _ : state) {
        std::uint64_t sum = 0;
        std::uint64_t value = 0;
        int sent = 0;
        for (int got = 0; got < many;) {
            while (sent < many && pair->there.put(static_cast<std::uint64_t>(sent)))
                ++sent;
            while (pair->back.take(value)) {
                sum += value;
                ++got;
            }
        }
        benchmark::DoNotOptimize(sum);
    }
    bench::count_items(state, many);
    pair->over = true;
    waitpid(child, nullptr, 0);
    munmap(pair, sizeof(Pair));
}
BENCHMARK(floor_submit)->Name("submit/bare ring")->UseRealTime();

[[noreturn]] void fill(Block& block) {
    constexpr std::uint32_t kTold = 1'000;  // so often it says how far it is
    for (std::uint32_t done = 0;;) {
        const std::uint32_t wanted = block.wanted.load(std::memory_order_acquire);
        if (done == wanted) {
            if (block.over.load()) _exit(0);
            pause_a_moment();
            continue;
        }
        for (std::uint32_t end = done + kTold; done != end; ++done)
            block.values[done % Block::kItems] = bench::trivial(static_cast<int>(done));
        block.done.store(done, std::memory_order_release);
    }
}

void floor_map(benchmark::State& state) {
    Block* const block = shared<Block>();
    if (block == nullptr) return state.SkipWithError("mmap");
    const pid_t child = fork();
    if (child == 0) fill(*block);
    std::uint32_t seen = 0;
    for (auto _ : state) {
        const std::uint32_t end = seen + Block::kItems;
        block->wanted.store(end, std::memory_order_release);
        std::int64_t sum = 0;
        while (seen != end) {
            const std::uint32_t done = block->done.load(std::memory_order_acquire);
            for (; seen != done; ++seen)
                sum += block->values[seen % Block::kItems];
        }
        benchmark::DoNotOptimize(sum);
    }
    bench::count_items(state, Block::kItems);
    block->over = true;
    waitpid(child, nullptr, 0);
    munmap(block, sizeof(Block));
}
BENCHMARK(floor_map)->Name("map/bare memory")->UseRealTime();

}  // namespace
