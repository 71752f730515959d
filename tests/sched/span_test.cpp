#include "sched/span.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace hardwork::sched {
namespace {

constexpr std::uint32_t kMost32 = 0xffffffffU;
constexpr std::uint64_t kMost64 = ~std::uint64_t{0};

Estimate of(std::uint32_t ns) {
    Estimate estimate;
    estimate.observe(ns);
    return estimate;
}

TEST(SpanSize, ASmallProbeWhileNothingIsKnown) {
    EXPECT_EQ(span_size(1, 4, Estimate{}), 1U);
    EXPECT_EQ(span_size(20, 4, Estimate{}), 2U);
    EXPECT_EQ(span_size(1'000'000, 4, Estimate{}), kProbeItems);
    EXPECT_EQ(span_size(kMost64, 1, Estimate{}), kProbeItems);
}

TEST(SpanSize, APartOfWhatIsLeftForEachWorker) {
    EXPECT_EQ(span_size(80'000, 4, of(1)), 10'000U);
    EXPECT_EQ(span_size(80'000, 40, of(1)), 1'000U);
}

TEST(SpanSize, AllOfItIfThatIsLittleWork) {
    EXPECT_EQ(span_size(100, 2, of(100)), 100U);
    EXPECT_EQ(span_size(kPackNs / 100, 2, of(100)), kPackNs / 100);
    EXPECT_EQ(span_size(kPackNs / 100 + 1, 2, of(100)), kPackNs / 100 / 4);
    EXPECT_EQ(span_size(100, 2, Estimate{}), kProbeItems);
}

TEST(SpanSize, WhatAWorkerHasAlreadyCounts) {
    EXPECT_TRUE(packs_items(100, of(100), 0));
    EXPECT_TRUE(packs_items(100, of(100), kPackNs - 10'000));
    EXPECT_FALSE(packs_items(100, of(100), kPackNs - 9'999));
    EXPECT_FALSE(packs_items(100, of(100), kPackNs + 1));
    EXPECT_FALSE(packs_items(kMost64, of(100), 0));
    EXPECT_FALSE(packs_items(1, Estimate{}, 0));
}

TEST(SpanSize, BoundedByTime) {
    EXPECT_EQ(span_size(1'000'000'000, 4, of(1'000)), kSpanTargetNs / 1'000);
    EXPECT_EQ(span_size(1'000'000, 4, of(kSpanTargetNs)), 1U);
    EXPECT_EQ(span_size(1'000'000, 4, of(kMost32)), 1U);
}

TEST(SpanSize, KeepsItsPromisesEverywhere) {
    const std::uint64_t lefts[] = {1,  2,     3,       4,          5,          7,          8,      9,
                                   63, 1'000, 999'999, 1ULL << 31, 1ULL << 32, 1ULL << 63, kMost64};
    for (const std::uint64_t left : lefts) {
        for (const std::uint32_t workers : {0U, 1U, 2U, 3U, 32U, 4'096U, kMost32}) {
            for (const std::uint32_t ns : {0U, 1U, 50U, 1'000U, 1'000'000U, 100'000'000U, kMost32}) {
                const std::uint32_t size = span_size(left, workers, of(ns));
                ASSERT_GE(size, 1U);
                ASSERT_LE(size, left);
                // Over a quarter only where one item is that, or all of it is little.
                ASSERT_TRUE(size == 1 || size <= left / 4 || packs_items(left, of(ns), 0)) << size << " of " << left;
                ASSERT_TRUE(size == 1 || std::uint64_t{size} * ns <= kSpanTargetNs);
            }
        }
    }
}

TEST(SpanSize, HandsOutEverythingInFewSpans) {
    for (const std::uint32_t workers : {1U, 2U, 8U, 32U}) {
        std::uint64_t left = 1'000'000;
        int spans = 0;
        while (left > 0) {
            left -= span_size(left, workers, of(100));
            ++spans;
        }
        // Each takes a share of what is left, so the count grows with the logarithm of it.
        EXPECT_LT(spans, static_cast<int>(std::max(2 * workers, 4U)) * 16) << workers;
    }
}

TEST(SplitPoint, IsHalfAndTheThiefGetsSomething) {
    EXPECT_EQ(split_point(0), 0U);
    for (const std::uint32_t left : {1U, 2U, 3U, 10U, 11U, 1U << 31, kMost32}) {
        const std::uint32_t keep = split_point(left);
        ASSERT_LT(keep, left);
        const std::uint32_t taken = left - keep;
        ASSERT_GE(taken, 1U);
        ASSERT_LE(taken - keep, 1U);
    }
}

TEST(SplitPoint, RepeatedStealingComesToAnEnd) {
    std::uint32_t left = kMost32;
    int steals = 0;
    while (left > 0) {
        left = split_point(left);
        ++steals;
    }
    EXPECT_EQ(steals, 32);
}

}  // namespace
}  // namespace hardwork::sched
