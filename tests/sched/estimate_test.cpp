#include "sched/estimate.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace hardwork {
namespace {

constexpr std::uint32_t kMost = 0xffffffffU;

TEST(Estimate, KnowsNothingAtFirst) {
    const Estimate estimate;
    EXPECT_FALSE(estimate.known());
    EXPECT_EQ(estimate.ns(), 0U);
    EXPECT_LE(sizeof(Estimate), 16U);
}

TEST(Estimate, TheFirstSampleIsTakenWhole) {
    for (const std::uint32_t first : {1U, 12'345U, kMost}) {
        Estimate estimate;
        estimate.observe(first);
        EXPECT_TRUE(estimate.known()) << first;
        EXPECT_EQ(estimate.ns(), first);
    }
}

TEST(Estimate, FollowsAChangeWithinAFewSamples) {
    for (const auto& [from, to] : {std::pair{1'000U, 1'000'000U}, std::pair{1'000'000U, 1'000U}}) {
        Estimate estimate;
        for (int i = 0; i < 100; ++i)
            estimate.observe(from);
        EXPECT_EQ(estimate.ns(), from);
        for (int i = 0; i < 8; ++i)
            estimate.observe(to);
        const double moved = (static_cast<double>(estimate.ns()) - from) / (static_cast<double>(to) - from);
        EXPECT_GT(moved, 0.6);
        EXPECT_LT(moved, 1.0);
        for (int i = 0; i < 72; ++i)
            estimate.observe(to);
        EXPECT_NEAR(static_cast<double>(estimate.ns()), to, 0.02 * std::max(from, to));
    }
}

TEST(Estimate, OneOddSampleIsNotBelieved) {
    Estimate estimate;
    for (int i = 0; i < 50; ++i)
        estimate.observe(80'000);
    estimate.observe(8);
    EXPECT_EQ(estimate.ns(), 70'001U);
}

TEST(Estimate, AZeroIsNoSample) {
    Estimate estimate;
    estimate.observe(0);
    EXPECT_FALSE(estimate.known());
    estimate.observe(40);
    estimate.observe(0);
    EXPECT_EQ(estimate.ns(), 40U);
}

TEST(Estimate, AWorkersFirstCallIsForgottenIfTheSecondIsShorter) {
    Estimate estimate;
    estimate.observe(300'000);
    estimate.observe(100);
    EXPECT_EQ(estimate.ns(), 100U);
    Estimate slower;
    slower.observe(100);
    slower.observe(900);
    EXPECT_EQ(slower.ns(), 200U);
}

TEST(Estimate, StaysBetweenTheSmallestAndTheLargestSample) {
    std::mt19937 random(5);
    for (const std::uint32_t low : {1U, 1'000U, kMost - 9}) {
        std::uniform_int_distribution<std::uint32_t> draw(low, kMost);
        Estimate estimate;
        std::uint32_t smallest = kMost;
        std::uint32_t largest = 0;
        for (int i = 0; i < 5'000; ++i) {
            const std::uint32_t sample = i % 3 == 0 ? kMost : draw(random);
            smallest = std::min(smallest, sample);
            largest = std::max(largest, sample);
            estimate.observe(sample);
            ASSERT_GE(estimate.ns(), smallest);
            ASSERT_LE(estimate.ns(), largest);
        }
    }
}

TEST(Estimate, IntegersDoNotMakeItStickFarOff) {
    Estimate estimate;
    estimate.observe(1'000);
    for (int i = 0; i < 200; ++i)
        estimate.observe(100);
    EXPECT_LT(estimate.ns(), 108U);
    for (int i = 0; i < 200; ++i)
        estimate.observe(1'000);
    EXPECT_GT(estimate.ns(), 992U);
}

}  // namespace
}  // namespace hardwork
