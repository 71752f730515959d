#include "shm/record.hpp"

#include <gtest/gtest.h>

#include "shm/lane.hpp"

namespace hardwork::shm {
namespace {

TEST(RecordSize, IsAHeaderAndThePaddedPayload) {
    EXPECT_EQ(record_size(0), 24U);
    EXPECT_EQ(record_size(1), 32U);
    EXPECT_EQ(record_size(8), 32U);
    EXPECT_EQ(record_size(9), 40U);
}

TEST(RecordSize, KeepsTheNextHeaderAligned) {
    for (std::uint32_t payload = 0; payload < 1'000; ++payload) {
        ASSERT_EQ(record_size(payload) % 8, 0U) << payload;
        ASSERT_GE(record_size(payload), sizeof(Record) + payload);
        ASSERT_LT(record_size(payload), sizeof(Record) + payload + 8);
    }
}

// The length comes from a worker: any number may stand there, and the sum must not wrap to something small.
TEST(RecordSize, AForgedLengthDoesNotWrap) {
    for (const std::uint32_t payload : {0x7fffffffU, 0xfffffff8U, 0xfffffff9U, 0xffffffffU}) {
        EXPECT_GT(record_size(payload), std::uint64_t{payload});
        EXPECT_GT(record_size(payload), kResultRingSize);
    }
}

TEST(RecordSize, SevenOfTheLargestInlineOnesFitTheRing) {
    EXPECT_LE(7 * record_size(kMaxInlineResult), kResultRingSize);
}

}  // namespace
}  // namespace hardwork::shm
