// Results of all sizes from a running worker: the arena, and a ring that is full or wraps.
#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using testing::Do;
using testing::eventually;
using testing::Got;
using testing::LaneParent;

Got fill(LaneParent& parent, std::uint64_t size) {
    parent.push_task(1, Do::fill, size);
    parent.publish();
    return parent.receive();
}

TEST(Results, OfAllSizes) {
    LaneParent parent;
    parent.start();
    for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{shm::kMaxInlineResult}}) {
        const Got got = fill(parent, size);
        EXPECT_EQ(got.record.in_arena, 0);
        EXPECT_EQ(got.bytes, std::string(size, 'f'));
    }
    for (const std::uint64_t size : {std::uint64_t{shm::kMaxInlineResult} + 1, shm::kWindow, shm::kWindow + 1}) {
        const Got got = fill(parent, size);
        ASSERT_EQ(got.record.in_arena, 1) << size;
        ASSERT_EQ(got.extent.length, size);
        const std::byte* data = parent.results.at(got.extent);
        ASSERT_NE(data, nullptr);
        EXPECT_EQ(std::string_view(reinterpret_cast<const char*>(data), size), std::string(size, 'f'));
    }
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Results, AReleasedExtentIsUsedAgain) {
    LaneParent parent;
    parent.start();
    for (const std::uint64_t size : {std::uint64_t{100'000}, 2 * shm::kWindow}) {
        const Got first = fill(parent, size);
        const Got second = fill(parent, size);
        EXPECT_NE(first.extent.offset, second.extent.offset) << "the first was not released";
        parent.push_release(first.extent.offset);
        const Got third = fill(parent, size);
        EXPECT_EQ(third.extent.offset, first.extent.offset);
    }
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Results, AReleaseOfNothingDoesNothing) {
    LaneParent parent;
    parent.start();
    const Got first = fill(parent, 100'000);
    parent.push_release(first.extent.offset + 64);
    parent.push_release(~std::uint64_t{0});
    const Got second = fill(parent, 100'000);
    EXPECT_NE(first.extent.offset, second.extent.offset);
    parent.push_release(first.extent.offset);
    parent.push_release(first.extent.offset);
    const Got third = fill(parent, 100'000);
    const Got fourth = fill(parent, 100'000);
    EXPECT_EQ(third.extent.offset, first.extent.offset);
    EXPECT_NE(fourth.extent.offset, first.extent.offset) << "released twice, given out twice";
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Results, GivenUpForAnExceptionLeavesNothingBehind) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::gives_up, 1'000'000);
    parent.publish();
    const Got got = parent.receive();
    EXPECT_EQ(got.record.in_arena, 0);
    EXPECT_EQ(got.record.outcome, static_cast<std::uint8_t>(Outcome::exception));
    EXPECT_EQ(got.bytes, "gave up");
    EXPECT_EQ(fill(parent, 1'000'000).extent.offset, 0U) << "the extent that was given up is free";
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Results, TooLargeForTheArenaIsTheRunnersToSay) {
    LaneParent parent;
    parent.start();
    const Got got = fill(parent, shm::kResultArenaSize + 1);
    EXPECT_EQ(got.bytes, "no memory");
    EXPECT_EQ(got.record.outcome, static_cast<std::uint8_t>(Outcome::exception));
    EXPECT_EQ(fill(parent, 3).bytes, "fff") << "the worker goes on";
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Results, AFullRingBlocksUntilTheParentHasRead) {
    constexpr std::uint64_t kTasks = 40;
    LaneParent parent;
    parent.start();
    const std::uint64_t begin = parent.control().parent.result_head.load();
    for (std::uint64_t i = 0; i < kTasks; ++i)
        parent.push_task(i, Do::fill, 30'000 + i);
    parent.publish();
    ASSERT_TRUE(eventually([&] { return parent.control().bells.blocked.load() == 1; }));
    const std::uint64_t published = parent.control().worker.result_tail.load() - begin;
    EXPECT_LE(published, shm::kResultRingSize);
    EXPECT_GT(published + shm::record_size(shm::RecordKind::task, 30'000 + kTasks), shm::kResultRingSize)
        << "blocked without need";
    EXPECT_LT(parent.board.runs.load(), kTasks);
    EXPECT_EQ(parent.control().worker.phase.load(), static_cast<std::uint32_t>(Phase::publish));
    // It says that it is blocked first, and rings if it still is.
    EXPECT_TRUE(eventually([&] { return parent.control().bells.collector_bell.load() > 0; })) << "nobody was told";
    for (std::uint64_t i = 0; i < kTasks; ++i) {
        const Got got = parent.receive();
        EXPECT_EQ(got.record.task, i);
        EXPECT_EQ(got.bytes, std::string(30'000 + i, 'f'));
    }
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.control().bells.blocked.load(), 0U);
}

TEST(Results, RecordsOfOddSizesGoRoundTheRing) {
    constexpr std::uint64_t kTasks = 900;
    LaneParent parent;
    parent.start();
    for (std::uint64_t i = 0; i < kTasks; ++i)
        parent.push_task(i, Do::fill, i * 7919 % 3'001);
    parent.publish();
    for (std::uint64_t i = 0; i < kTasks; ++i) {
        const Got got = parent.receive();
        ASSERT_EQ(got.record.task, i);
        ASSERT_EQ(got.bytes, std::string(i * 7919 % 3'001, 'f'));
    }
    EXPECT_GT(parent.control().worker.result_tail.load(), 4 * shm::kResultRingSize);
    EXPECT_EQ(parent.stop(), 0);
}

}  // namespace
}  // namespace hardwork
