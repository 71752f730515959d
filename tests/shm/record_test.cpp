#include "shm/record.hpp"

#include <gtest/gtest.h>

#include "shm/lane.hpp"

namespace hardwork::shm {
namespace {

TEST(RecordSize, IsAHeaderAndThePaddedPayload) {
    EXPECT_EQ(record_size(RecordKind::task, 0), 24U);
    EXPECT_EQ(record_size(RecordKind::task, 1), 32U);
    EXPECT_EQ(record_size(RecordKind::task, 8), 32U);
    EXPECT_EQ(record_size(RecordKind::task, 9), 40U);
}

TEST(RecordSize, AFollowingItemHasAShortHeader) {
    EXPECT_EQ(record_size(RecordKind::next_item, 0), 8U);
    EXPECT_EQ(record_size(RecordKind::next_item, 1), 16U);
    EXPECT_EQ(record_size(RecordKind::next_item, 9), 24U);
    EXPECT_GT(record_size(RecordKind::next_item, 0xffffffffU), kResultRingSize);
}

TEST(RecordSize, KeepsTheNextHeaderAligned) {
    for (std::uint32_t payload = 0; payload < 1'000; ++payload) {
        ASSERT_EQ(record_size(RecordKind::task, payload) % 8, 0U) << payload;
        ASSERT_GE(record_size(RecordKind::task, payload), sizeof(Record) + payload);
        ASSERT_LT(record_size(RecordKind::task, payload), sizeof(Record) + payload + 8);
    }
}

// The length comes from a worker: any number may stand there, and the sum must not wrap to something small.
TEST(RecordSize, AForgedLengthDoesNotWrap) {
    for (const std::uint32_t payload : {0x7fffffffU, 0xfffffff8U, 0xfffffff9U, 0xffffffffU}) {
        EXPECT_GT(record_size(RecordKind::task, payload), std::uint64_t{payload});
        EXPECT_GT(record_size(RecordKind::task, payload), kResultRingSize);
    }
}

TEST(RecordSize, SevenOfTheLargestInlineOnesFitTheRing) {
    EXPECT_LE(7 * record_size(RecordKind::task, kMaxInlineResult), kResultRingSize);
}

}  // namespace
}  // namespace hardwork::shm
