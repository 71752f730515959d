// The question's own job in C++: naive factorisation of many numbers, by a serial loop and by hardwork::map.
//
// Prints one line of JSON. Exit code 1 if the two disagree. --quick: fewer numbers.
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <vector>

#include "hardwork/hardwork.hpp"

namespace {

std::vector<std::uint32_t> factorize(std::uint32_t n) {
    std::vector<std::uint32_t> factors;
    std::uint32_t divisor = 2;
    while (n > 1) {
        if (n % divisor == 0) {
            factors.push_back(divisor);
            n /= divisor;
        } else if (std::uint64_t{divisor} * divisor >= n) {
            factors.push_back(n);
            break;
        } else {
            divisor += divisor == 2 ? 1 : 2;
        }
    }
    return factors;
}

// Differs if any factor of any number differs.
std::uint64_t weigh(const std::vector<std::uint32_t>& factors) {
    std::uint64_t sum = 0;
    for (const std::uint32_t factor : factors)
        sum += factor;
    return sum * factors.size();
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
    const bool quick = argc > 1 && std::strcmp(argv[1], "--quick") == 0;
    const std::uint32_t first = 100;
    const std::uint32_t last = quick ? 100'000 : 1'000'000;

    hardwork::ProcessPool pool;
    auto begin = std::chrono::steady_clock::now();
    std::uint64_t serial = 0;
    for (std::uint32_t n = first; n < last; ++n)
        serial += weigh(factorize(n));
    const double serial_s = seconds_since(begin);

    begin = std::chrono::steady_clock::now();
    std::uint64_t parallel = 0;
    for (const auto& factors : pool.map(factorize, hardwork::range(first, last)))
        parallel += weigh(factors);
    const double map_s = seconds_since(begin);

    std::printf("{\"serial_s\": %.6f, \"map_s\": %.6f, \"checksum\": %llu, \"items\": %u, \"workers\": %zu}\n",
                serial_s, map_s, static_cast<unsigned long long>(serial), last - first, pool.pids().size());
    return serial == parallel ? 0 : 1;
}
