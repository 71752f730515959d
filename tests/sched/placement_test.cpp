#include "sched/placement.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace hardwork::sched {
namespace {

LaneLoad idle_lane(bool spinning = false) { return {0, 8, 0, true, spinning, true}; }
LaneLoad busy_lane(std::uint32_t queued, std::uint64_t queued_ns) { return {queued, 8, queued_ns, false, false, true}; }
LaneLoad unborn_lane() { return {0, 8, 0, true, false, false}; }

using Lanes = std::vector<LaneLoad>;

TEST(ChooseLane, NobodyThere) {
    EXPECT_EQ(choose_lane({}, -1, 1'000), -1);
    EXPECT_EQ(choose_lane({}, 0, 1'000), -1);
    EXPECT_EQ(choose_lane(Lanes{unborn_lane(), unborn_lane()}, 0, 1'000), -1);
}

TEST(ChooseLane, ShortWorkIsPackedOntoTheHotLane) {
    const Lanes lanes{idle_lane(), busy_lane(3, 12'000), idle_lane()};
    EXPECT_EQ(choose_lane(lanes, 1, 4'000), 1);
    EXPECT_EQ(choose_lane(lanes, 1, 8'000), 1);
    EXPECT_NE(choose_lane(lanes, 1, 8'001), 1);
}

TEST(ChooseLane, LongWorkWakesAnother) {
    EXPECT_EQ(choose_lane(Lanes{busy_lane(1, 50'000), idle_lane()}, 0, 50'000), 1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(1, 0), idle_lane()}, 0, ~std::uint64_t{0}), 1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(1, ~std::uint64_t{0}), idle_lane()}, 0, 1), 1);
}

TEST(ChooseLane, NothingIsPackedBehindTheUnknown) {
    EXPECT_EQ(choose_lane(Lanes{busy_lane(1, 0), idle_lane()}, 0, 0), 1);
}

TEST(ChooseLane, AHotLaneThatSpinsTakesAnything) {
    const Lanes lanes{idle_lane(), idle_lane(true)};
    EXPECT_EQ(choose_lane(lanes, 1, 0), 1);
    EXPECT_EQ(choose_lane(lanes, 1, 60'000'000'000), 1);
}

TEST(ChooseLane, ASpinningIdleLaneIsBetterThanASleepingOne) {
    EXPECT_EQ(choose_lane(Lanes{idle_lane(), busy_lane(1, 1), idle_lane(true)}, -1, 1'000'000), 2);
}

TEST(ChooseLane, IdleBeforeTheLeastLoaded) {
    EXPECT_EQ(choose_lane(Lanes{busy_lane(1, 1), idle_lane(), busy_lane(2, 0)}, -1, 1'000'000), 1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(2, 900'000), busy_lane(5, 100'000), busy_lane(1, 500'000)}, -1, 1'000'000),
              1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(4, 0), busy_lane(2, 0), busy_lane(3, 0)}, -1, 0), 1) << "by count if unknown";
}

TEST(ChooseLane, AFullLaneIsNeverChosen) {
    EXPECT_EQ(choose_lane(Lanes{busy_lane(8, 100)}, 0, 100), -1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(8, 100), busy_lane(7, 9'000'000)}, 0, 100), 1);
    EXPECT_EQ(choose_lane(Lanes{busy_lane(9, 100)}, -1, 100), -1);
}

TEST(ChooseLane, AnUnbornLaneIsNotWaitedFor) {
    EXPECT_EQ(choose_lane(Lanes{unborn_lane(), busy_lane(1, 3'000'000)}, 0, 1'000'000), 1);
}

TEST(ChooseLane, AHotLaneThatIsNotThereIsNotUsed) {
    EXPECT_EQ(choose_lane(Lanes{idle_lane()}, 7, 1'000), 0);
    EXPECT_EQ(choose_lane(Lanes{idle_lane()}, -1, 1'000), 0);
}

// A barrier of as many tasks as workers must meet: none may wait behind another while a lane is idle.
TEST(ChooseLane, UnknownTasksSpreadOverAllLanes) {
    Lanes lanes(16, LaneLoad{0, 1, 0, true, false, true});
    int hot = -1;
    for (std::size_t i = 0; i < lanes.size(); ++i) {
        hot = choose_lane(lanes, hot, 0);
        ASSERT_GE(hot, 0);
        LaneLoad& lane = lanes[static_cast<std::size_t>(hot)];
        ASSERT_TRUE(lane.idle);
        lane.idle = false;
        ++lane.queued;
    }
    EXPECT_EQ(choose_lane(lanes, hot, 0), -1);
}

}  // namespace
}  // namespace hardwork::sched
