#include "os/clock.hpp"

#include <time.h>

namespace hardwork::os {

std::uint64_t now_ns() {
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

namespace {

std::uint64_t measure() {
    constexpr std::uint64_t kLongEnoughNs = 200'000;
    const std::uint64_t begin_ns = now_ns();
    const std::uint64_t begin = ticks();
    std::uint64_t end_ns;
    do {
        end_ns = now_ns();
    } while (end_ns - begin_ns < kLongEnoughNs);
    const std::uint64_t elapsed = ticks() - begin;
    const std::uint64_t rate = (elapsed << 10) / (end_ns - begin_ns);
    return rate != 0 ? rate : 1;
}

}  // namespace

std::uint64_t ticks_per_1024ns() {
    static const std::uint64_t rate = measure();
    return rate;
}

}  // namespace hardwork::os
