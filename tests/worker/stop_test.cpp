// stop_requested() where nothing runs.
#include "worker/stop.hpp"

#include <gtest/gtest.h>

#include "os/clock.hpp"
#include "worker/claim_loop.hpp"

namespace hardwork {
namespace {

class Nothing final : public Runner {
  public:
    bool initialize(Output&) override { return true; }
    void define(std::uint32_t, std::span<const std::byte>) override {}
    Outcome run(const Invocation&, PhaseMark&, Output&) override { return Outcome::value; }
};

TEST(StopRequested, NeverBeforeAWorkersLife) { EXPECT_EQ(stop_requested(), StopReason::none); }

TEST(StopRequested, NeverAfterIt) {
    {
        shm::LaneInfo info{};
        info.ticks_per_1024ns = os::ticks_per_1024ns();
        os::Fd memory;
        auto lane = shm::Lane::create(info, memory);
        ASSERT_TRUE(lane);
        shm::Control& control = lane.value().control();
        lane.value().request(0).kind = shm::RequestKind::stop;
        control.parent.request_tail.store(1);
        control.parent.stop_reason.store(static_cast<std::uint32_t>(StopReason::request));
        WorkerSetup setup;
        setup.lane_fd = memory.get();
        Nothing runner;
        EXPECT_EQ(ClaimLoop(lane.value(), setup, runner).run(), 0);
    }
    EXPECT_EQ(stop_requested(), StopReason::none);  // and the lane is not looked at: it is gone
}

}  // namespace
}  // namespace hardwork
