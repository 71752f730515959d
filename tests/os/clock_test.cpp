#include "os/clock.hpp"

#include <time.h>

#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

TEST(Clock, NeverGoesBack) {
    std::uint64_t last = now_ns();
    for (int i = 0; i < 100'000; ++i) {
        const std::uint64_t now = now_ns();
        ASSERT_GE(now, last);
        last = now;
    }
}

TEST(Clock, IsTheMonotonicClock) {
    timespec raw;
    const std::uint64_t before = now_ns();
    clock_gettime(CLOCK_MONOTONIC, &raw);
    const std::uint64_t after = now_ns();
    const auto between =
        static_cast<std::uint64_t>(raw.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(raw.tv_nsec);
    EXPECT_LE(before, between);
    EXPECT_GE(after, between);
}

TEST(Ticks, MeasureTheSameTimeAsTheClock) {
    const std::uint64_t rate = ticks_per_1024ns();
    ASSERT_GT(rate, 0U);
    // Each pair of readings encloses the other, however long this thread is kept off the processor in between.
    const std::uint64_t outer_ns = now_ns();
    const std::uint64_t inner = ticks();
    usleep(30'000);
    const std::uint64_t inner_ticks = ticks() - inner;
    const std::uint64_t outer_elapsed = now_ns() - outer_ns;
    EXPECT_LE(ticks_to_ns(inner_ticks, rate), outer_elapsed + outer_elapsed / 20);

    const std::uint64_t outer = ticks();
    const std::uint64_t inner_ns = now_ns();
    usleep(30'000);
    const std::uint64_t inner_elapsed = now_ns() - inner_ns;
    const std::uint64_t outer_ticks = ticks() - outer;
    EXPECT_GE(ticks_to_ns(outer_ticks, rate), inner_elapsed - inner_elapsed / 20);
}

TEST(Ticks, TheRateIsMeasuredOnceAndInherited) {
    const std::uint64_t rate = ticks_per_1024ns();
    EXPECT_EQ(ticks_per_1024ns(), rate);
    testing::Child child([&] { return ticks_per_1024ns() == rate ? 0 : 1; });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Ticks, Conversion) {
    EXPECT_EQ(ticks_to_ns(0, 3000), 0U);
    EXPECT_EQ(ticks_to_ns(3000, 3000), 1024U);
    EXPECT_EQ(ticks_to_ns(1024, 1024), 1024U);
    // A day at 4 GHz does not overflow.
    const std::uint64_t day_ns = 86'400ULL * 1'000'000'000;
    EXPECT_NEAR(static_cast<double>(ticks_to_ns(day_ns * 4, 4096)), static_cast<double>(day_ns), 1e6);
}

}  // namespace
}  // namespace hardwork::os
