// stop_requested() where nothing runs, and at each moment of being told.
#include "worker/stop.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "hardwork/fault.hpp"
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

#if HARDWORK_FAULT_POINTS

// A worker that has been stopped before, and runs its second task.
class ToldAgain : public ::testing::Test {
  protected:
    static constexpr std::uint32_t kPosition = 1;

    void SetUp() override {
        shm::LaneInfo info{};
        info.ticks_per_1024ns = os::ticks_per_1024ns();
        auto made = shm::Lane::create(info, memory_);
        ASSERT_TRUE(made);
        lane_ = made.take();
        shm::Control& control = lane_.control();
        shm::ask_to_stop(control.parent, shm::execution_of(0, 0), static_cast<std::uint32_t>(StopReason::request));
        control.worker.position.store(kPosition);
        control.worker.phase.store(static_cast<std::uint32_t>(Phase::run));
        running_here.control.store(&control);
        running_here.item.store(0);
        running_here.told.store(~std::uint64_t{0});
        answers.clear();
        fault::hook = ask;
    }
    void TearDown() override {
        fault::hook = nullptr;
        running_here.control.store(nullptr);
    }
    static void ask(const fault::Where&) {
        fault::hook = nullptr;  // to ask stores something, too
        answers.push_back(stop_requested());
        fault::hook = ask;
    }

    static inline std::vector<StopReason> answers;
    os::Fd memory_;
    shm::Lane lane_;
};

TEST_F(ToldAgain, HasTheReasonOfThisOne) {
    shm::ask_to_stop(lane_.control().parent, shm::execution_of(kPosition, 0),
                     static_cast<std::uint32_t>(StopReason::timeout));
    const std::vector<StopReason> expected{StopReason::none, StopReason::none, StopReason::timeout};
    EXPECT_EQ(answers, expected);
}

#endif

}  // namespace
}  // namespace hardwork
