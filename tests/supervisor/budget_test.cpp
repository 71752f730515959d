#include "supervisor/budget.hpp"

#include <gtest/gtest.h>

namespace hardwork {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

TEST(Budget, BacksOffAndGivesUp) {
    Budget budget;
    EXPECT_EQ(budget.next_birth_at(), 0U);
    const std::uint64_t pauses[] = {0, 10 * kMs, 40 * kMs, 160 * kMs};
    std::uint64_t now = 1000;
    for (const auto pause : pauses) {
        budget.on_barren(now);
        EXPECT_FALSE(budget.exhausted());
        EXPECT_EQ(budget.next_birth_at(), now + pause);
        now += 7;
    }
    budget.on_barren(now);
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, AReadyWorkerForgivesEverything) {
    Budget budget;
    for (int i = 0; i < 1000; ++i) {
        for (int k = 0; k < 4; ++k)
            budget.on_barren(5);
        EXPECT_FALSE(budget.exhausted());
        budget.on_ready();
        EXPECT_EQ(budget.next_birth_at(), 0U);
        EXPECT_EQ(budget.barren_in_a_row(), 0U);
    }
}

TEST(Budget, OneGenerationOfWorkersIsOneStep) {
    Budget budget(64);
    for (int i = 0; i < 64; ++i) {
        budget.on_barren(9);
        EXPECT_EQ(budget.next_birth_at(), 9U);
    }
    budget.on_barren(9);
    EXPECT_EQ(budget.next_birth_at(), 9 + 10 * kMs);
    budget.on_barren(9);
    budget.on_barren(9);
    EXPECT_FALSE(budget.exhausted());
    budget.on_barren(9);
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, ThePauseIsBoundedAndTheCountDoesNotOverflow) {
    Budget budget(1, 1'000'000);
    for (int i = 0; i < 2'000'000; ++i) {
        budget.on_barren(3);
        ASSERT_LE(budget.next_birth_at(), 3 + Budget::kLongestPauseNs);
    }
    EXPECT_TRUE(budget.exhausted());
}

TEST(Budget, SeveralThatWereKilledCountAsOne) {
    Budget budget;
    for (int step = 0; step < 4; ++step) {
        for (std::uint32_t i = 1; i < Budget::kKilledPerBarren; ++i)
            budget.on_killed(1);
        EXPECT_EQ(budget.barren_in_a_row(), static_cast<std::uint32_t>(step));
        budget.on_killed(1);
        EXPECT_EQ(budget.barren_in_a_row(), static_cast<std::uint32_t>(step + 1));
    }
    EXPECT_FALSE(budget.exhausted());
    for (std::uint32_t i = 0; i < Budget::kKilledPerBarren; ++i)
        budget.on_killed(1);
    EXPECT_TRUE(budget.exhausted());
    budget.on_ready();
    for (std::uint32_t i = 1; i < Budget::kKilledPerBarren; ++i)
        budget.on_killed(1);
    EXPECT_EQ(budget.barren_in_a_row(), 0U);
}

TEST(Budget, ALimitOfNothingIsOne) {
    Budget budget(0, 0);
    EXPECT_FALSE(budget.exhausted());
    budget.on_barren(1);
    EXPECT_TRUE(budget.exhausted());
}

}  // namespace
}  // namespace hardwork
