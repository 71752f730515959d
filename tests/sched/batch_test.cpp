#include "sched/batch.hpp"

#include <gtest/gtest.h>

namespace hardwork::sched {
namespace {

constexpr std::uint32_t kMany = 1'000'000;
constexpr std::uint32_t kCapacity = 1000;

Estimate of(std::uint32_t ns) {
    Estimate estimate;
    estimate.observe(ns);
    return estimate;
}

TEST(QueueDepth, OneUntilSomethingIsKnown) { EXPECT_EQ(queue_depth(Estimate{}, kCapacity, kMany, 4), 1U); }

TEST(QueueDepth, IsAboutTheTargetOfWork) {
    EXPECT_EQ(queue_depth(of(10'000), kCapacity, kMany, 4), kQueueTargetNs / 10'000);
    EXPECT_EQ(queue_depth(of(100'000), kCapacity, kMany, 4), kQueueTargetNs / 100'000);
}

TEST(QueueDepth, TwoWhereFetchingWouldShow) {
    EXPECT_EQ(queue_depth(of(1'900'000), kCapacity, kMany, 4), 2U);
    EXPECT_EQ(queue_depth(of(4'999'999), kCapacity, kMany, 4), 2U);
}

TEST(QueueDepth, NothingWaitsBehindALongTask) {
    EXPECT_EQ(queue_depth(of(5'000'000), kCapacity, kMany, 4), 1U);
    EXPECT_EQ(queue_depth(of(0xffffffffU), kCapacity, kMany, 4), 1U);
}

TEST(QueueDepth, NeverOverTheCapacity) {
    EXPECT_EQ(queue_depth(of(1), kCapacity, kMany, 4), kCapacity);
    EXPECT_EQ(queue_depth(of(1), 7, kMany, 4), 7U);
    EXPECT_EQ(queue_depth(of(4'000'000), 1, kMany, 4), 1U);
}

TEST(QueueDepth, AFairShareOfTheLastOnes) {
    EXPECT_EQ(queue_depth(of(100), kCapacity, 40, 4), 10U);
    EXPECT_EQ(queue_depth(of(100), kCapacity, 41, 4), 11U);
    EXPECT_EQ(queue_depth(of(100), kCapacity, 4, 4), 1U);
    EXPECT_EQ(queue_depth(of(100), kCapacity, 3, 4), 1U);
    EXPECT_EQ(queue_depth(of(100), kCapacity, 0, 4), 1U);
}

TEST(QueueDepth, DoesNotGrowWithTheDuration) {
    std::uint32_t last = kCapacity;
    for (std::uint32_t ns = 1; ns < 100'000'000; ns += 1 + ns / 7) {
        const std::uint32_t depth = queue_depth(of(ns), kCapacity, kMany, 4);
        ASSERT_GE(depth, 1U);
        ASSERT_LE(depth, last) << ns;
        last = depth;
    }
}

TEST(QueueDepth, ExtremesDoNotOverflow) {
    constexpr std::uint32_t kMost = 0xffffffffU;
    EXPECT_EQ(queue_depth(of(1), kMost, kMost, kMost), 1U);
    EXPECT_EQ(queue_depth(of(1), kMost, kMost, 1), kQueueTargetNs);
    EXPECT_GE(queue_depth(of(100), kCapacity, kMany, 0), 1U);
    EXPECT_GE(queue_depth(of(100), kCapacity, 0, 0), 1U);
}

}  // namespace
}  // namespace hardwork::sched
