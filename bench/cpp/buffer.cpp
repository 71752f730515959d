// A result of 100 MB: as a Buffer, as a vector that is copied, and written in this process where it is read.
#include <cstring>

#include "work.hpp"

namespace {

constexpr std::size_t kSize = 100'000'000;

void fill(std::span<std::uint64_t> words, std::uint64_t seed) {
    for (std::uint64_t& word : words)
        word = seed++;
}

hardwork::Buffer fill_buffer(std::uint64_t seed) {
    hardwork::Buffer buffer(kSize);
    fill(buffer.as<std::uint64_t>(), seed);
    return buffer;
}

std::vector<std::uint64_t> fill_vector(std::uint64_t seed) {
    std::vector<std::uint64_t> words(kSize / sizeof(std::uint64_t));
    fill(words, seed);
    return words;
}

void buffer_hardwork(benchmark::State& state) {
    hardwork::ProcessPool& pool = bench::pool();
    std::uint64_t seed = 0;
    for (auto _ : state) {
        const hardwork::Buffer buffer = pool.submit(fill_buffer, ++seed).get();
        if (buffer.as<std::uint64_t>()[0] != seed) return state.SkipWithError("a wrong value");
    }
    bench::count_items(state, 1);
}
BENCHMARK(buffer_hardwork)->Name("100 MB/hardwork")->UseRealTime()->Unit(benchmark::kMillisecond);

void buffer_vector(benchmark::State& state) {
    hardwork::ProcessPool& pool = bench::pool();
    std::uint64_t seed = 0;
    for (auto _ : state) {
        const auto words = pool.submit(fill_vector, ++seed).get();
        if (words[0] != seed) return state.SkipWithError("a wrong value");
    }
    bench::count_items(state, 1);
}
BENCHMARK(buffer_vector)->Name("100 MB/vector, copied")->UseRealTime()->Unit(benchmark::kMillisecond);

void buffer_in_place(benchmark::State& state) {
    std::vector<std::uint64_t> words(kSize / sizeof(std::uint64_t));
    std::uint64_t seed = 0;
    for (auto _ : state) {
        fill(words, ++seed);
        benchmark::DoNotOptimize(words.data());
        benchmark::ClobberMemory();
    }
    bench::count_items(state, 1);
}
BENCHMARK(buffer_in_place)->Name("100 MB/written in place")->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
