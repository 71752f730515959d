#include "supervisor/budget.hpp"

#include <gtest/gtest.h>

namespace hardwork {
namespace {

constexpr std::uint64_t kMs = 1'000'000;
using Barren = Budget::Barren;
constexpr Barren kUnborn = Barren::unborn;

TEST(Budget, BacksOffAndGivesUp) {
    Budget budget;
    EXPECT_EQ(budget.next_birth_at(true), 0U);
    const std::uint64_t pauses[] = {0, 10 * kMs, 40 * kMs, 160 * kMs};
    std::uint64_t now = 1000;
    for (const auto pause : pauses) {
        budget.on_barren(kUnborn, now);
        EXPECT_FALSE(budget.exhausted());
        EXPECT_EQ(budget.next_birth_at(true), now + pause);
        now += 7;
    }
    budget.on_barren(kUnborn, now);
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, AReadyWorkerForgivesEverything) {
    Budget budget;
    for (int i = 0; i < 1000; ++i) {
        for (int k = 0; k < 4; ++k)
            budget.on_barren(kUnborn, 5);
        EXPECT_FALSE(budget.exhausted());
        budget.on_ready();
        EXPECT_EQ(budget.next_birth_at(true), 0U);
        EXPECT_EQ(budget.in_a_row(kUnborn), 0U);
    }
}

TEST(Budget, OneGenerationOfWorkersIsOneStep) {
    Budget budget(64);
    for (int i = 0; i < 64; ++i) {
        budget.on_barren(kUnborn, 9);
        EXPECT_EQ(budget.next_birth_at(true), 9U);
    }
    budget.on_barren(kUnborn, 9);
    EXPECT_EQ(budget.next_birth_at(true), 9 + 10 * kMs);
    budget.on_barren(kUnborn, 9);
    budget.on_barren(kUnborn, 9);
    EXPECT_FALSE(budget.exhausted());
    budget.on_barren(kUnborn, 9);
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, ThePauseIsBoundedAndTheCountDoesNotOverflow) {
    Budget budget(1, 1'000'000);
    for (int i = 0; i < 2'000'000; ++i) {
        budget.on_barren(kUnborn, 3);
        ASSERT_LE(budget.next_birth_at(true), 3 + Budget::kLongestPauseNs);
    }
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, SeveralThatWereKilledCountAsOne) {
    Budget budget;
    for (int step = 0; step < 4; ++step) {
        for (std::uint32_t i = 1; i < Budget::kKilledPerBarren; ++i)
            budget.on_killed(kUnborn, 1);
        EXPECT_EQ(budget.in_a_row(kUnborn), static_cast<std::uint32_t>(step));
        budget.on_killed(kUnborn, 1);
        EXPECT_EQ(budget.in_a_row(kUnborn), static_cast<std::uint32_t>(step + 1));
    }
    EXPECT_FALSE(budget.exhausted());
    for (std::uint32_t i = 0; i < Budget::kKilledPerBarren; ++i)
        budget.on_killed(kUnborn, 1);
    EXPECT_TRUE(budget.exhausted());
    budget.on_ready();
    for (std::uint32_t i = 1; i < Budget::kKilledPerBarren; ++i)
        budget.on_killed(kUnborn, 1);
    EXPECT_EQ(budget.in_a_row(kUnborn), 0U);
}

TEST(Budget, WorkersThatAreReadyButUselessExhaustItUntilOneIsFruitful) {
    Budget budget;
    for (int i = 0; i < 4; ++i) {
        budget.on_barren(Barren::useless, 1);
        budget.on_ready();  // each of them was
    }
    EXPECT_FALSE(budget.exhausted());
    budget.on_fruitful();
    for (int i = 0; i < 4; ++i)
        budget.on_barren(Barren::useless, 1);
    EXPECT_FALSE(budget.exhausted());
    budget.on_barren(Barren::useless, 1);
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, WhoDiesWithoutWorkBacksOffAndNeverExhausts) {
    Budget budget(2);
    for (int i = 0; i < 100; ++i)
        budget.on_barren(Barren::idle, 7);
    EXPECT_FALSE(budget.exhausted());
    EXPECT_EQ(budget.next_birth_at(false), 7 + Budget::kLongestPauseNs);
    EXPECT_EQ(budget.next_birth_at(true), 0U);  // work does not wait for that
    budget.on_fruitful();
    EXPECT_EQ(budget.next_birth_at(false), 0U);
}

TEST(Budget, ALimitOfNothingIsOne) {
    Budget budget(0, 0);
    EXPECT_FALSE(budget.exhausted());
    budget.on_barren(kUnborn, 1);
    EXPECT_TRUE(budget.exhausted());
}

}  // namespace
}  // namespace hardwork
