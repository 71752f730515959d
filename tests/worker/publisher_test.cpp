#include "worker/publisher.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "os/futex.hpp"

namespace hardwork {
namespace {

using shm::kWantCaller;
using shm::kWantCollector;
using shm::kWantEpoch;
using shm::kWantIdle;

class PublisherTest : public ::testing::Test {
  protected:
    PublisherTest() : lane_(make()), publisher_(lane_), control_(lane_.control()) {}
    shm::Lane make() {
        shm::LaneInfo info{};
        info.generation = 0x1c3;
        auto lane = shm::Lane::create(info, memory_);
        EXPECT_TRUE(lane);
        return lane.take();
    }
    void publish() {
        publisher_.publish(shm::RecordKind::task, Outcome::value, 0, 0, 0, out_);
        full_fence();
        publisher_.ring_if_wanted();
    }
    void want(std::uint32_t epoch, std::uint32_t bits) { control_.parent.want.store(epoch * kWantEpoch | bits); }
    std::uint32_t caller_rung() const { return control_.bells.caller_bell.load(); }
    std::uint32_t collector_rung() const { return control_.bells.collector_bell.load(); }

    os::Fd memory_;
    shm::Lane lane_;
    std::shared_ptr<ResultMemory> results_ = std::make_shared<ResultMemory>(memory_.get(), 64 * shm::kWindow);
    ResultBuffer out_{results_};
    Publisher publisher_;
    shm::Control& control_;
};

TEST_F(PublisherTest, ARecordIsWholeWhenTheTailSaysSo) {
    std::memcpy(out_.allocate(5), "bytes", 5);
    out_.finish(5);
    publisher_.publish(shm::RecordKind::item, Outcome::exception, 12, 34, 56, out_);
    ASSERT_EQ(control_.worker.result_tail.load(), shm::record_size(shm::RecordKind::item, 5));
    shm::Record seen;
    std::memcpy(&seen, lane_.result(0), sizeof seen);
    EXPECT_EQ(seen.kind, shm::RecordKind::item);
    EXPECT_EQ(seen.outcome, 1);
    EXPECT_EQ(seen.index, 12U);
    EXPECT_EQ(seen.nanoseconds, 34U);
    EXPECT_EQ(seen.task, 56U);
    EXPECT_EQ(seen.length, 5U);
    EXPECT_EQ(seen.in_arena, 0);
    EXPECT_EQ(seen.generation, 0xc3) << "the low byte";
    EXPECT_EQ(std::memcmp(lane_.result(sizeof seen), "bytes", 5), 0);
}

TEST_F(PublisherTest, NobodyIsRungWhoDoesNotWant) {
    publish();
    want(1, kWantIdle);
    publish();
    EXPECT_EQ(caller_rung(), 0U);
    EXPECT_EQ(collector_rung(), 0U);
}

TEST_F(PublisherTest, RingsWhenAskedToAndOnceForAll) {
    want(1, kWantCaller);
    publisher_.ring_if_wanted();
    EXPECT_EQ(caller_rung(), 0U) << "nothing was published";
    publisher_.publish(shm::RecordKind::task, Outcome::value, 0, 0, 0, out_);
    publisher_.publish(shm::RecordKind::task, Outcome::value, 0, 0, 0, out_);
    EXPECT_EQ(caller_rung(), 0U);
    publisher_.ring_if_wanted();
    publisher_.ring_if_wanted();
    EXPECT_EQ(caller_rung(), 1U);
}

TEST_F(PublisherTest, EachSleepIsAnsweredOnce) {
    want(1, kWantCaller);
    for (int i = 0; i < 5; ++i)
        publish();
    EXPECT_EQ(caller_rung(), 1U);
    EXPECT_EQ(collector_rung(), 0U);
    want(2, kWantCaller);
    publish();
    publish();
    EXPECT_EQ(caller_rung(), 2U);
    want(3, kWantCollector);
    publish();
    EXPECT_EQ(caller_rung(), 2U);
    EXPECT_EQ(collector_rung(), 1U);
    want(4, kWantCaller | kWantCollector);
    publish();
    EXPECT_EQ(caller_rung(), 3U);
    EXPECT_EQ(collector_rung(), 2U);
}

// A second sleeper joins without a new count: the value differs, so it is rung.
TEST_F(PublisherTest, AnotherBitIsAnotherValue) {
    want(1, kWantCollector);
    publish();
    want(1, kWantCollector | kWantCaller);
    publish();
    EXPECT_EQ(caller_rung(), 1U);
}

TEST_F(PublisherTest, IdlenessIsToldOnce) {
    publisher_.ring_if_idle_wanted();
    EXPECT_EQ(collector_rung(), 0U);
    want(1, kWantIdle);
    publisher_.ring_if_idle_wanted();
    publisher_.ring_if_idle_wanted();
    EXPECT_EQ(collector_rung(), 1U);
    want(2, kWantIdle);
    publisher_.ring_if_idle_wanted();
    EXPECT_EQ(collector_rung(), 2U);
}

TEST_F(PublisherTest, SmallResultsUseNoArena) {
    ASSERT_NE(out_.allocate(shm::kMaxInlineResult), nullptr);
    EXPECT_FALSE(out_.in_arena());
    EXPECT_EQ(results_->in_use(), 0U);
}

TEST_F(PublisherTest, AnExtentSaysHowMuchWasUsed) {
    ASSERT_NE(out_.allocate(100'000), nullptr);
    out_.finish(70'000);
    EXPECT_TRUE(out_.in_arena());
    EXPECT_EQ(out_.extent().length, 70'000U);
    const std::uint64_t in_use = results_->in_use();
    EXPECT_GE(in_use, 100'000U);
    out_.reset();
    EXPECT_EQ(results_->in_use(), in_use) << "it is the parent's until released";
    out_.take_back(out_.extent().offset + 1);
    EXPECT_EQ(results_->in_use(), in_use);
    out_.take_back(0);
    EXPECT_EQ(results_->in_use(), 0U) << "as much as was allocated, not as was used";
    out_.take_back(0);
    EXPECT_EQ(results_->in_use(), 0U);
}

TEST_F(PublisherTest, WhatIsAskedForAgainReplacesTheFirst) {
    ASSERT_NE(out_.allocate(100'000), nullptr);
    ASSERT_NE(out_.allocate(300'000), nullptr);
    EXPECT_EQ(results_->in_use(), shm::Arena::rounded(300'000));
    ASSERT_NE(out_.allocate(10), nullptr);
    EXPECT_FALSE(out_.in_arena());
    EXPECT_EQ(results_->in_use(), 0U);
}

TEST_F(PublisherTest, WhatATaskHasFilledIsTheResult) {
    const auto segment = allocate_result(300'000);
    ASSERT_NE(segment, nullptr);
    std::memcpy(segment->bytes().data(), "filled", 6);
    const auto dropped = allocate_result(300'000);
    ASSERT_NE(out_.allocate(100'000), nullptr);  // given up for the segment
    ASSERT_TRUE(out_.hand_over(*segment));
    EXPECT_FALSE(out_.hand_over(*segment)) << "it has been given";
    ASSERT_TRUE(out_.in_arena());
    EXPECT_EQ(out_.extent().length, 300'000U);
    EXPECT_EQ(results_->in_use(), 2 * shm::Arena::rounded(300'000));
    const std::uint64_t offset = out_.extent().offset;
    shm::Windows windows(memory_.get(), shm::Lane::result_arena_offset(), 64 * shm::kWindow, os::Access::read_only);
    EXPECT_EQ(std::memcmp(windows.at(out_.extent()), "filled", 6), 0);
    out_.reset();
    out_.take_back(offset);
    EXPECT_EQ(results_->in_use(), shm::Arena::rounded(300'000));
}

TEST_F(PublisherTest, OnlyMemoryOfItsOwnIsTaken) {
    EXPECT_EQ(allocate_result(shm::kMaxInlineResult), nullptr) << "it would be copied anyway";
    ResultMemory::set_here(std::make_shared<ResultMemory>(memory_.get(), 64 * shm::kWindow));
    const auto other = allocate_result(300'000);
    ASSERT_NE(other, nullptr);
    EXPECT_FALSE(out_.hand_over(*other));
    EXPECT_FALSE(out_.in_arena());
    ResultMemory::set_here(nullptr);
    EXPECT_EQ(allocate_result(300'000), nullptr);
}

TEST_F(PublisherTest, WithoutMemoryThereIsNone) {
    EXPECT_EQ(out_.allocate(65 * shm::kWindow), nullptr);
    EXPECT_FALSE(out_.in_arena());
    EXPECT_EQ(results_->in_use(), 0U);
    EXPECT_NE(out_.allocate(10), nullptr);
}

}  // namespace
}  // namespace hardwork
