// What a lane says when its worker has died: phase, position, claim, and no record that is not whole.
#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using testing::Do;
using testing::LaneParent;

class DeathIn : public ::testing::TestWithParam<Phase> {};
INSTANTIATE_TEST_SUITE_P(Phases, DeathIn, ::testing::Values(Phase::decode, Phase::run, Phase::encode),
                         [](const auto& phase) { return phase_name(phase.param); });

TEST_P(DeathIn, IsVisibleInTheLane) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::echo, 1);
    const shm::Request& fatal = parent.push_task(2, Do::hold, static_cast<std::uint64_t>(GetParam()));
    const shm::Request& innocent = parent.push_task(3, Do::echo, 3);
    parent.publish();
    EXPECT_EQ(parent.receive().bytes, "1");
    ASSERT_TRUE(parent.head_reaches(1));
    ASSERT_TRUE(parent.phase_becomes(GetParam()));
    ASSERT_TRUE(testing::eventually([&] { return parent.board.runs.load() == 2; }));
    parent.kill(SIGKILL);
    EXPECT_EQ(parent.wait(), 128 + SIGKILL);
    EXPECT_EQ(parent.control().worker.phase.load(), static_cast<std::uint32_t>(GetParam()));
    EXPECT_EQ(parent.control().worker.position.load(), 1U);
    EXPECT_EQ(parent.control().worker.request_head.load(), 1U);
    EXPECT_EQ(fatal.claim.load(), shm::kClaimed);
    EXPECT_EQ(innocent.claim.load(), shm::kOpen);
    EXPECT_TRUE(parent.no_record());
}

TEST(Death, OfASpanLosesTheClaimedItemOnly) {
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::echo, 1);
    const shm::Request& span = parent.push_span(2, 3, 8, Do::hold, static_cast<std::uint64_t>(Phase::run));
    parent.publish();
    parent.receive();
    ASSERT_TRUE(testing::eventually([&] { return parent.board.runs.load() == 2; }));
    parent.kill(SIGKILL);
    EXPECT_EQ(parent.wait(), 128 + SIGKILL);
    EXPECT_EQ(parent.control().worker.position.load(), 1U);
    EXPECT_EQ(span.claim.load(), shm::pack_cursor(4, 8));
    EXPECT_TRUE(parent.no_record());
}

TEST(Death, WhileIdleLeavesTheRingAsItWas) {
    LaneParent parent;
    parent.start();
    ASSERT_TRUE(parent.phase_becomes(Phase::idle));
    parent.kill(SIGKILL);
    EXPECT_EQ(parent.wait(), 128 + SIGKILL);
    shm::Request& never = parent.push_task(1, Do::echo, 1);
    parent.publish();
    EXPECT_TRUE(shm::claim_task(never.claim, shm::kTaken));
    EXPECT_EQ(parent.control().worker.phase.load(), static_cast<std::uint32_t>(Phase::idle));
    EXPECT_EQ(parent.control().worker.request_head.load(), 0U);
}

}  // namespace
}  // namespace hardwork
