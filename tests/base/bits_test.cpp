#include "base/bits.hpp"

#include <gtest/gtest.h>

namespace hardwork {
namespace {

TEST(Bits, AlignUpRoundsToTheNextMultiple) {
    EXPECT_EQ(align_up(0, 64), 0U);
    EXPECT_EQ(align_up(1, 64), 64U);
    EXPECT_EQ(align_up(63, 64), 64U);
    EXPECT_EQ(align_up(64, 64), 64U);
    EXPECT_EQ(align_up(65, 64), 128U);
    EXPECT_EQ(align_up(17, 1), 17U);
    for (std::uint64_t alignment = 1; alignment <= 4096; alignment *= 2) {
        for (std::uint64_t value = 0; value < 300; ++value) {
            const std::uint64_t up = align_up(value, alignment);
            ASSERT_EQ(up % alignment, 0U);
            ASSERT_GE(up, value);
            ASSERT_LT(up - value, alignment);
        }
    }
}

TEST(Bits, AlignUpKeepsLargeAddresses) {
    EXPECT_EQ(align_up((std::uint64_t{1} << 47) + 1, 4096), (std::uint64_t{1} << 47) + 4096);
}

TEST(Bits, PowersOfTwo) {
    EXPECT_FALSE(is_power_of_two(0));
    EXPECT_FALSE(is_power_of_two(3));
    EXPECT_FALSE(is_power_of_two(~std::uint64_t{0}));
    for (int shift = 0; shift < 64; ++shift) {
        EXPECT_TRUE(is_power_of_two(std::uint64_t{1} << shift));
        if (shift < 2) continue;
        EXPECT_FALSE(is_power_of_two((std::uint64_t{1} << shift) + 1)) << shift;
    }
}

}  // namespace
}  // namespace hardwork
