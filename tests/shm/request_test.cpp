#include "shm/request.hpp"

#include <gtest/gtest.h>

#include <barrier>
#include <thread>
#include <vector>

namespace hardwork::shm {
namespace {

using Word = Atomic<std::uint64_t>;

struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};

TEST(Cursor, PacksAndUnpacks) {
    for (const std::uint32_t next : {0U, 1U, 0x80000000U, 0xffffffffU}) {
        for (const std::uint32_t end : {0U, 1U, 0x80000000U, 0xffffffffU}) {
            EXPECT_EQ(cursor_next(pack_cursor(next, end)), next);
            EXPECT_EQ(cursor_end(pack_cursor(next, end)), end);
        }
    }
}

TEST(ClaimTask, WhoComesFirstHasIt) {
    Word claim(kOpen);
    EXPECT_TRUE(claim_task(claim, kClaimed));
    EXPECT_FALSE(claim_task(claim, kTaken));
    EXPECT_EQ(claim.load(), kClaimed);
    claim.store(kOpen);
    EXPECT_TRUE(claim_task(claim, kTaken));
    EXPECT_FALSE(claim_task(claim, kClaimed));
    EXPECT_FALSE(claim_task(claim, kTaken)) << "nor twice";
    EXPECT_EQ(claim.load(), kTaken);
}

TEST(ClaimItem, GivesEachItemInOrder) {
    Word cursor(pack_cursor(5, 8));
    std::uint32_t item = 99;
    for (const std::uint32_t expected : {5U, 6U, 7U}) {
        ASSERT_TRUE(claim_item(cursor, item));
        EXPECT_EQ(item, expected);
    }
    EXPECT_FALSE(claim_item(cursor, item));
    EXPECT_FALSE(claim_item(cursor, item));
    EXPECT_EQ(cursor.load(), pack_cursor(8, 8)) << "an empty span was changed";
}

TEST(ClaimItem, NextNeverCarriesIntoTheEnd) {
    Word cursor(pack_cursor(0xfffffffe, 0xffffffff));
    std::uint32_t item = 0;
    ASSERT_TRUE(claim_item(cursor, item));
    EXPECT_EQ(item, 0xfffffffeU);
    EXPECT_FALSE(claim_item(cursor, item));
    EXPECT_EQ(cursor.load(), pack_cursor(0xffffffff, 0xffffffff));
}

TEST(ClaimItem, ABackwardRangeIsEmpty) {
    Word cursor(pack_cursor(9, 3));
    std::uint32_t item = 0;
    EXPECT_FALSE(claim_item(cursor, item));
    Range range;
    EXPECT_FALSE(take_tail(cursor, 0, range.first, range.last));
}

TEST(TakeTail, LeavesWhatIsToBeKept) {
    Word cursor(pack_cursor(10, 20));
    Range range;
    ASSERT_TRUE(take_tail(cursor, 4, range.first, range.last));
    EXPECT_EQ(range.first, 14U);
    EXPECT_EQ(range.last, 20U);
    EXPECT_EQ(cursor.load(), pack_cursor(10, 14));
    EXPECT_FALSE(take_tail(cursor, 4, range.first, range.last)) << "nothing beyond what it keeps";
    EXPECT_FALSE(take_tail(cursor, 0xffffffff, range.first, range.last));
    ASSERT_TRUE(take_tail(cursor, 0, range.first, range.last));
    EXPECT_EQ(range.first, 10U);
    EXPECT_EQ(range.last, 14U);
    std::uint32_t item = 0;
    EXPECT_FALSE(claim_item(cursor, item)) << "all was taken";
    EXPECT_FALSE(take_tail(cursor, 0, range.first, range.last));
}

TEST(ClaimTask, OfTwoThreadsExactlyOneHasEachTask) {
    constexpr std::size_t kTasks = 20'000;
    std::vector<Word> claims(kTasks);
    std::vector<std::uint8_t> mine(kTasks);
    std::vector<std::uint8_t> theirs(kTasks);
    std::barrier meet(2);
    std::thread other([&] {
        meet.arrive_and_wait();
        for (std::size_t i = kTasks; i-- > 0;)
            theirs[i] = claim_task(claims[i], kTaken) ? 1 : 0;
    });
    meet.arrive_and_wait();
    for (std::size_t i = 0; i < kTasks; ++i)
        mine[i] = claim_task(claims[i], kClaimed) ? 1 : 0;
    other.join();
    for (std::size_t i = 0; i < kTasks; ++i) {
        ASSERT_EQ(mine[i] + theirs[i], 1) << i;
        ASSERT_EQ(claims[i].load(), mine[i] != 0 ? kClaimed : kTaken) << i;
    }
}

// A worker goes through a span from the front while the parent cuts tails off it.
TEST(ClaimItem, AgainstTakeTailEveryItemExactlyOnce) {
    constexpr std::uint32_t kItems = 20'000;
    for (std::uint32_t round = 0; round < 10; ++round) {
        Word cursor(pack_cursor(0, kItems));
        std::vector<std::uint32_t> claimed;
        std::vector<Range> taken;
        std::barrier meet(2);
        std::thread worker([&] {
            meet.arrive_and_wait();
            std::uint32_t item = 0;
            while (claim_item(cursor, item))
                claimed.push_back(item);
        });
        meet.arrive_and_wait();
        Range range;
        // A few at a time, so that the two meet often; the last cut takes all that is left.
        for (std::uint32_t cut = 0; cut < 400; ++cut) {
            const std::uint64_t now = cursor.load();
            const std::uint32_t left = cursor_end(now) - cursor_next(now);
            if (left == 0) break;
            if (take_tail(cursor, left - left / 50, range.first, range.last)) taken.push_back(range);
        }
        if (take_tail(cursor, round % 3, range.first, range.last)) taken.push_back(range);
        worker.join();
        std::vector<int> owners(kItems);
        for (std::size_t i = 0; i < claimed.size(); ++i) {
            ASSERT_EQ(claimed[i], i) << "a worker's items come in order";
            ++owners[claimed[i]];
        }
        for (const Range& each : taken) {
            ASSERT_LT(each.first, each.last);
            for (std::uint32_t item = each.first; item < each.last; ++item)
                ++owners.at(item);
        }
        for (std::uint32_t item = 0; item < kItems; ++item)
            ASSERT_EQ(owners[item], 1) << "item " << item << " of round " << round;
    }
}

}  // namespace
}  // namespace hardwork::shm
