#include "sched/placement.hpp"

#include <gtest/gtest.h>

namespace hardwork::sched {
namespace {

constexpr std::uint32_t kCapacity = 1000;

Estimate of(std::uint32_t ns) {
    Estimate estimate;
    estimate.observe(ns);
    return estimate;
}

TEST(Packs, ShortWorkBehindShortWork) {
    EXPECT_TRUE(packs({3, 12'000, true}, of(4'000), kCapacity));
    EXPECT_TRUE(packs({3, 12'000, true}, of(8'000), kCapacity));
    EXPECT_FALSE(packs({3, 12'000, true}, of(8'001), kCapacity));
    EXPECT_FALSE(packs({1, 0, true}, of(kPackNs + 1), kCapacity));
    EXPECT_FALSE(packs({1, ~std::uint64_t{0}, true}, of(1'000), kCapacity));
}

TEST(Packs, NothingBehindTheUnknown) { EXPECT_FALSE(packs({1, 0, true}, Estimate{}, kCapacity)); }

TEST(Packs, NothingWhereNobodyIsAwake) {
    EXPECT_FALSE(packs({0, 0, true}, of(1'000), kCapacity)) << "idle: it may sleep";
    EXPECT_FALSE(packs({1, 0, false}, of(1'000), kCapacity)) << "not born yet";
}

TEST(Packs, CheapWorkUntilTheRingIsFull) {
    EXPECT_TRUE(packs({kCapacity - 1, 200'000, true}, of(kCheapNs), kCapacity));
    EXPECT_FALSE(packs({kCapacity, 200'000, true}, of(kCheapNs), kCapacity));
    EXPECT_FALSE(packs({kCapacity - 1, 200'000, true}, of(kCheapNs + 1), kCapacity));
}

TEST(WaitNs, IdleBeforeTheLeastLoadedBeforeTheOthers) {
    EXPECT_LT(wait_ns({0, 0, true}), wait_ns({1, 1, true}));
    EXPECT_LT(wait_ns({5, 100'000, true}), wait_ns({1, 500'000, true}));
    EXPECT_LT(wait_ns({2, 0, true}), wait_ns({3, 0, true})) << "by count if unknown";
}

TEST(WaitNs, ABirthIsWaitedForOnlyByWhatWouldWaitLongerElsewhere) {
    EXPECT_GT(wait_ns({0, 0, false}), wait_ns({1, 100'000, true}));
    EXPECT_LT(wait_ns({0, 0, false}), wait_ns({1, 10'000'000, true}));
    EXPECT_LT(wait_ns({0, 0, false}), wait_ns({1, 0, false}));
}

TEST(WaitNs, DoesNotOverflow) {
    EXPECT_EQ(wait_ns({1, ~std::uint64_t{0}, false}), ~std::uint64_t{0});
    EXPECT_GT(wait_ns({~std::uint32_t{0}, 0, true}), wait_ns({1'000, 0, true}));
}

}  // namespace
}  // namespace hardwork::sched
