#include "worker/claim_loop.hpp"

#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using shm::RecordKind;
using shm::RequestKind;
using testing::Do;
using testing::eventually;
using testing::Got;
using testing::LaneParent;

std::uint8_t number_of(Outcome outcome) { return static_cast<std::uint8_t>(outcome); }

TEST(ClaimLoop, ATasksOutcomeComesBack) {
    LaneParent parent;
    parent.start();
    shm::Request& first = parent.push_task(0x1122334455667788, Do::echo, 31);
    parent.push_task(2, Do::throws);
    parent.push_task(3, Do::naps, 20'000);
    parent.publish();
    Got got = parent.receive();
    EXPECT_EQ(got.record.kind, RecordKind::task);
    EXPECT_EQ(got.record.task, 0x1122334455667788U);
    EXPECT_EQ(got.record.outcome, number_of(Outcome::value));
    EXPECT_EQ(got.bytes, "31");
    EXPECT_EQ(first.claim.load(), shm::kClaimed);
    got = parent.receive();
    EXPECT_EQ(got.record.task, 2U);
    EXPECT_EQ(got.record.outcome, number_of(Outcome::exception));
    EXPECT_EQ(got.bytes, "oops");
    got = parent.receive();
    EXPECT_EQ(got.bytes, "");
    EXPECT_GE(got.record.nanoseconds, 19'000'000U);
    EXPECT_TRUE(parent.head_reaches(3));
    EXPECT_TRUE(parent.phase_becomes(Phase::idle));
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_TRUE(parent.no_record());
}

TEST(ClaimLoop, AFunctionIsDefinedBeforeItsUse) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::echo, 5, 9);
    LaneParent::put(parent.push(RequestKind::define, 0, 9), std::as_bytes(std::span("nine:", 5)));
    parent.push_task(2, Do::echo, 5, 9);
    parent.publish();
    EXPECT_EQ(parent.receive().bytes, "undefined");
    EXPECT_EQ(parent.receive().bytes, "nine:5");
    EXPECT_EQ(parent.stop(), 0);
}

TEST(ClaimLoop, ATaskThatWasTakenBackIsSkipped) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::echo, 1);
    EXPECT_TRUE(shm::claim_task(parent.push_task(2, Do::echo, 2).claim, shm::kTaken));
    parent.push_task(3, Do::echo, 3);
    parent.publish();
    EXPECT_EQ(parent.receive().record.task, 1U);
    EXPECT_EQ(parent.receive().record.task, 3U);
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.board.runs.load(), 2U);
    EXPECT_TRUE(parent.no_record());
}

TEST(ClaimLoop, QueuedTasksCanBeTakenFromABusyWorker) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::hold, static_cast<std::uint64_t>(Phase::run));
    shm::Request& waiting = parent.push_task(2, Do::echo, 2);
    parent.publish();
    ASSERT_TRUE(eventually([&] { return parent.board.runs.load() == 1; }));
    EXPECT_TRUE(shm::claim_task(waiting.claim, shm::kTaken));
    parent.board.go.store(1);
    EXPECT_EQ(parent.receive().bytes, "held");
    EXPECT_TRUE(parent.head_reaches(2));
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.board.runs.load(), 1U);
}

TEST(ClaimLoop, ASpansItemsComeInOrder) {
    LaneParent parent;
    parent.start();
    parent.push_span(77, 5, 9);
    parent.push_span(78, 0, 0);
    parent.push_task(79, Do::echo, 1);
    parent.publish();
    for (std::uint32_t item = 5; item < 9; ++item) {
        const Got got = parent.receive();
        EXPECT_EQ(got.record.kind, RecordKind::item);
        EXPECT_EQ(got.record.task, 77U);
        EXPECT_EQ(got.record.index, item);
        EXPECT_EQ(got.bytes, "item " + std::to_string(item));
    }
    EXPECT_EQ(parent.receive().record.task, 79U);
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.board.runs.load(), 5U);
}

TEST(ClaimLoop, ATailThatWasTakenIsNotRun) {
    LaneParent parent;
    parent.start();
    shm::Request& span = parent.push_span(1, 0, 10, Do::hold, static_cast<std::uint64_t>(Phase::run));
    parent.publish();
    ASSERT_TRUE(eventually([&] { return parent.board.runs.load() == 1; }));
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    ASSERT_TRUE(shm::take_tail(span.claim, 2, first, last));
    EXPECT_EQ(first, 3U) << "item 0 runs, 1 and 2 were left";
    EXPECT_EQ(last, 10U);
    parent.board.go.store(1);
    for (std::uint32_t item = 0; item < 3; ++item)
        EXPECT_EQ(parent.receive().record.index, item);
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.board.runs.load(), 3U);
}

TEST(ClaimLoop, InputsFromTheArena) {
    LaneParent parent;
    parent.start();
    shm::Arena arena(-1, 0, testing::kInputSize);
    for (const std::uint64_t length : {std::uint64_t{100}, std::uint64_t{5} << 20}) {
        shm::Extent extent{};
        ASSERT_TRUE(arena.allocate(length, extent));
        const testing::Order order{Do::echo, length};
        std::memcpy(parent.inputs.at(extent), &order, sizeof order);
        shm::Request& request = parent.push(RequestKind::task, 4);
        request.in_arena = true;
        request.extent = extent;
        parent.publish();
        EXPECT_EQ(parent.receive().bytes, std::to_string(length));
    }
    shm::Request& request = parent.push(RequestKind::task, 5);
    request.in_arena = true;
    request.extent = {~std::uint64_t{0}, 8};
    parent.publish();
    const Got got = parent.receive();
    EXPECT_EQ(got.bytes, "unreadable");
    EXPECT_EQ(got.record.outcome, number_of(Outcome::exception));
    EXPECT_EQ(parent.stop(), 0);
}

TEST(ClaimLoop, AfterItsLimitOfTasksTheWorkerEnds) {
    LaneParent parent({.max_tasks = 3});
    parent.start();
    shm::Request* requests[5];
    for (std::uint64_t i = 0; i < 5; ++i)
        requests[i] = &parent.push_task(i, Do::echo, i);
    parent.publish();
    EXPECT_EQ(parent.wait(), 0);
    for (std::uint64_t i = 0; i < 3; ++i)
        EXPECT_EQ(parent.receive().record.task, i);
    EXPECT_TRUE(parent.no_record());
    EXPECT_EQ(requests[3]->claim.load(), shm::kOpen) << "left for others";
    EXPECT_EQ(requests[4]->claim.load(), shm::kOpen);
}

TEST(ClaimLoop, TheLimitCountsItems) {
    LaneParent parent({.max_tasks = 4});
    parent.start();
    const shm::Request& span = parent.push_span(1, 0, 10);
    parent.publish();
    EXPECT_EQ(parent.wait(), 0);
    EXPECT_EQ(span.claim.load(), shm::pack_cursor(4, 10));
    for (std::uint32_t item = 0; item < 4; ++item)
        EXPECT_EQ(parent.receive().record.index, item);
    EXPECT_TRUE(parent.no_record());
}

TEST(ClaimLoop, NothingBehindAStopIsRun) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::echo, 1);
    parent.push(RequestKind::stop);
    const shm::Request& late = parent.push_task(2, Do::echo, 2);
    parent.publish();
    EXPECT_EQ(parent.wait(), 0);
    EXPECT_EQ(parent.receive().record.task, 1U);
    EXPECT_TRUE(parent.no_record());
    EXPECT_EQ(late.claim.load(), shm::kOpen);
}

TEST(ClaimLoop, AFailedPreparationIsSaidAndNoTaskRuns) {
    LaneParent parent({.fails = true});
    const shm::Request& task = parent.push_task(1, Do::echo, 1);
    parent.publish();
    parent.start();
    EXPECT_EQ(parent.wait(), 1);
    const Got got = parent.receive();
    EXPECT_EQ(got.record.kind, RecordKind::init_failed);
    EXPECT_EQ(got.bytes, "not prepared");
    EXPECT_TRUE(parent.no_record());
    EXPECT_EQ(task.claim.load(), shm::kOpen);
    EXPECT_EQ(parent.board.runs.load(), 0U);
}

}  // namespace
}  // namespace hardwork
