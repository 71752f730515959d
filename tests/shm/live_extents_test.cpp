#include "shm/live_extents.hpp"

#include <gtest/gtest.h>

namespace hardwork::shm {
namespace {

TEST(LiveExtents, WhatDoesNotOverlapIsTaken) {
    LiveExtents live;
    EXPECT_TRUE(live.add({100, 50}));
    EXPECT_TRUE(live.add({150, 10}));
    EXPECT_TRUE(live.add({90, 10}));
    EXPECT_TRUE(live.add({0, 90}));
    EXPECT_TRUE(live.add({1000, 0}));
    EXPECT_FALSE(live.empty());
}

TEST(LiveExtents, AnyOverlapIsRefused) {
    LiveExtents live;
    ASSERT_TRUE(live.add({100, 50}));
    ASSERT_TRUE(live.add({300, 50}));
    for (const Extent forged : {Extent{100, 50}, Extent{100, 1}, Extent{100, 0}, Extent{149, 1}, Extent{99, 2},
                                Extent{0, 101}, Extent{149, 200}, Extent{50, 1000}, Extent{310, 5}}) {
        EXPECT_FALSE(live.add(forged)) << forged.offset << ' ' << forged.length;
    }
    EXPECT_TRUE(live.add({150, 150}));
}

TEST(LiveExtents, OneThatWasReadMayComeAgain) {
    LiveExtents live;
    ASSERT_TRUE(live.add({64, 64}));
    live.remove({64, 64});
    EXPECT_TRUE(live.empty());
    EXPECT_TRUE(live.add({64, 128}));
    live.remove({4096, 1});  // unknown: nothing happens
    EXPECT_FALSE(live.add({128, 1}));
}

TEST(LiveExtents, AnEndBeyondTheLastAddressIsRefused) {
    LiveExtents live;
    EXPECT_FALSE(live.add({~std::uint64_t{0}, 1}));
    EXPECT_FALSE(live.add({1, ~std::uint64_t{0}}));
    EXPECT_TRUE(live.empty());
}

}  // namespace
}  // namespace hardwork::shm
