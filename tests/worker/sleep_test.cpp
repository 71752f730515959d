// A worker without work: how it sleeps, and what wakes it.
#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using testing::Do;
using testing::eventually;
using testing::LaneParent;

bool sleeps(const LaneParent& parent) {
    return eventually([&] { return parent.control().bells.sleeping.load() == 1; });
}

class RoundTrips : public ::testing::TestWithParam<std::uint32_t> {};
INSTANTIATE_TEST_SUITE_P(SpinNs, RoundTrips, ::testing::Values(0U, 2'000U, 100'000U));

// A lost wake-up on either side is a record that never comes.
TEST_P(RoundTrips, NoneIsLost) {
    LaneParent parent({.spin_ns = GetParam()});
    parent.start();
    for (std::uint64_t i = 0; i < 3'000; ++i) {
        parent.push_task(i, Do::echo, i);
        parent.publish();
        const testing::Got got = parent.receive();
        ASSERT_EQ(got.record.task, i);
        ASSERT_EQ(got.bytes, std::to_string(i));
    }
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Sleep, TheRunnerIsToldBeforeAndAfter) {
    LaneParent parent;
    parent.start();
    ASSERT_TRUE(sleeps(parent));
    EXPECT_EQ(parent.board.sleeps.load(), parent.board.wakes.load() + 1);
    EXPECT_EQ(parent.stop(), 0);
    EXPECT_EQ(parent.board.sleeps.load(), parent.board.wakes.load());
    EXPECT_EQ(parent.control().bells.sleeping.load(), 0U);
}

TEST(Sleep, ASpuriousWakeUpFindsNothingAndSleepsAgain) {
    LaneParent parent;
    parent.start();
    ASSERT_TRUE(sleeps(parent));
    const std::uint32_t before = parent.board.sleeps.load();
    EXPECT_TRUE(eventually([&] {
        parent.ring_work();
        return parent.board.sleeps.load() > before;
    }));
    ASSERT_TRUE(sleeps(parent));
    EXPECT_EQ(parent.board.runs.load(), 0U);
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Sleep, ASignalIsTheRunnersBusiness) {
    LaneParent parent;
    parent.start();
    EXPECT_TRUE(eventually([&] {
        if (parent.control().bells.sleeping.load() == 1) parent.kill(SIGUSR1);
        return parent.board.interrupts.load() > 0;
    }));
    parent.push_task(1, Do::echo, 1);
    parent.publish();
    EXPECT_EQ(parent.receive().bytes, "1");
    EXPECT_EQ(parent.stop(), 0);
}

TEST(Sleep, WhereIdlenessIsWantedTheCollectorIsToldOnceForEachValue) {
    LaneParent parent;
    parent.start();
    ASSERT_TRUE(sleeps(parent));
    Atomic<std::uint32_t>& bell = parent.control().bells.collector_bell;
    const auto sleep_again = [&] {
        const std::uint32_t before = parent.board.sleeps.load();
        ASSERT_TRUE(eventually([&] {
            parent.ring_work();
            return parent.board.sleeps.load() >= before + 3;
        }));
    };
    sleep_again();
    EXPECT_EQ(bell.load(), 0U) << "nobody wanted to know";
    parent.control().parent.want.store(100 * shm::kWantEpoch | shm::kWantIdle);
    sleep_again();
    EXPECT_EQ(bell.load(), 1U);
    parent.control().parent.want.store(101 * shm::kWantEpoch | shm::kWantIdle);
    sleep_again();
    EXPECT_EQ(bell.load(), 2U);
    EXPECT_EQ(parent.stop(), 0);
}

}  // namespace
}  // namespace hardwork
