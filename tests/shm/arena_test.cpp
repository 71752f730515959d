#include "shm/arena.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstring>
#include <iterator>
#include <map>
#include <random>
#include <vector>

namespace hardwork::shm {
namespace {

constexpr std::uint64_t kSize = 64 * kWindow;
constexpr int kNoFile = -1;  // an arena that gives no pages back needs none

TEST(Arena, RoundsUp) {
    EXPECT_EQ(Arena::rounded(0), 64U);
    EXPECT_EQ(Arena::rounded(64), 64U);
    EXPECT_EQ(Arena::rounded(65), 128U);
    EXPECT_EQ(Arena::rounded(kWindow - 1), kWindow);
    EXPECT_EQ(Arena::rounded(kWindow), kWindow);
    EXPECT_EQ(Arena::rounded(kWindow + 1), 2 * kWindow);
    EXPECT_EQ(Arena::rounded(2 * kWindow + 1), 3 * kWindow) << "whole windows, not powers of two";
}

TEST(Arena, GivesTheLengthThatWasAskedFor) {
    Arena arena(kNoFile, 0, kSize);
    Extent extent{};
    for (const std::uint64_t length : {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{100}, 3 * kWindow + 5}) {
        ASSERT_TRUE(arena.allocate(length, extent));
        EXPECT_EQ(extent.length, length);
    }
}

TEST(Arena, AFreedExtentIsUsedAgain) {
    Arena arena(kNoFile, 0, kSize);
    for (const std::uint64_t length : {std::uint64_t{50}, std::uint64_t{5'000}, kWindow, 2 * kWindow + 9}) {
        Extent first{};
        Extent second{};
        ASSERT_TRUE(arena.allocate(length, first));
        EXPECT_EQ(arena.in_use(), Arena::rounded(length));
        arena.release(first);
        EXPECT_EQ(arena.in_use(), 0U);
        ASSERT_TRUE(arena.allocate(length, second));
        EXPECT_EQ(second.offset, first.offset);
        arena.release(second);
    }
}

TEST(Arena, LargeExtentsBeginOnAWindow) {
    Arena arena(kNoFile, 0, kSize);
    Extent small{};
    Extent large{};
    ASSERT_TRUE(arena.allocate(100, small));
    ASSERT_TRUE(arena.allocate(kWindow + 1, large));
    EXPECT_EQ(large.offset % kWindow, 0U);
    ASSERT_TRUE(arena.allocate(64, small));
    EXPECT_GE(small.offset, large.offset + 2 * kWindow) << "within the large one's last window";
}

TEST(Arena, ExhaustionIsFalseAndNotTheEnd) {
    Arena arena(kNoFile, 0, 4 * kWindow);
    Extent extent{7, 7};
    EXPECT_FALSE(arena.allocate(4 * kWindow + 1, extent));
    EXPECT_FALSE(arena.allocate(~std::uint64_t{0}, extent));
    EXPECT_FALSE(arena.allocate(std::uint64_t{1} << 63, extent));
    std::vector<Extent> held;
    while (arena.allocate(kWindow / 2, extent))
        held.push_back(extent);
    EXPECT_EQ(held.size(), 8U);
    EXPECT_FALSE(arena.allocate(1, extent));
    EXPECT_EQ(arena.in_use(), 4 * kWindow);
    arena.release(held.back());
    EXPECT_TRUE(arena.allocate(kWindow / 2, extent));
}

TEST(Arena, OfSizeNothingHasNothing) {
    Arena arena;
    Extent extent{};
    EXPECT_FALSE(arena.allocate(0, extent));
    EXPECT_FALSE(arena.allocate(1, extent));
}

TEST(Arena, LivingExtentsNeverOverlapNorCrossWindows) {
    Arena arena(kNoFile, 0, kSize);
    std::mt19937 random(3);
    std::map<std::uint64_t, Extent> living;
    const auto draw_length = [&]() -> std::uint64_t {
        switch (random() % 4) {
            case 0: return random() % 200;
            case 1: return random() % 100'000;
            case 2: return random() % kWindow;
            default: return random() % (4 * kWindow);
        }
    };
    std::uint64_t refused = 0;
    for (int step = 0; step < 30'000; ++step) {
        Extent extent{};
        if (random() % 2 == 0 && !living.empty()) {
            auto victim = living.lower_bound(random() % kSize);
            if (victim == living.end()) victim = living.begin();
            arena.release(victim->second);
            living.erase(victim);
        } else if (arena.allocate(draw_length(), extent)) {
            const std::uint64_t size = Arena::rounded(extent.length);
            ASSERT_LE(extent.offset + size, kSize);
            ASSERT_EQ(extent.offset % kSmallestExtent, 0U);
            if (extent.length <= kWindow) {
                ASSERT_EQ(extent.offset / kWindow, (extent.offset + size - 1) / kWindow) << "crosses a window";
            } else {
                ASSERT_EQ(extent.offset % kWindow, 0U);
            }
            const auto after = living.lower_bound(extent.offset);
            ASSERT_TRUE(after == living.end() || extent.offset + size <= after->first);
            if (after != living.begin()) {
                const Extent& before = std::prev(after)->second;
                ASSERT_LE(before.offset + Arena::rounded(before.length), extent.offset);
            }
            living.emplace(extent.offset, extent);
        } else {
            ++refused;
        }
    }
    EXPECT_GT(refused, 0U) << "the arena was never full: the test is too small";
    std::uint64_t total = 0;
    for (const auto& [offset, extent] : living)
        total += Arena::rounded(extent.length);
    EXPECT_EQ(arena.in_use(), total);
}

struct stat status_of(const os::Fd& memory) {
    struct stat info {};
    EXPECT_EQ(fstat(memory.get(), &info), 0);
    return info;
}

// Freed memory is kept for reuse up to a limit; what is freed beyond gives its pages back.
TEST(Arena, BeyondTheLimitFreedPagesGoBack) {
    constexpr std::uint64_t kBase = 3 * kWindow;
    constexpr std::uint64_t kLength = kKeepFree / 2 + kWindow;
    auto memory = os::create_memory("test", kBase + 2 * kKeepFree);
    ASSERT_TRUE(memory);
    Arena arena(memory.value().get(), kBase, 2 * kKeepFree);
    Extent extents[2];
    for (Extent& extent : extents)
        ASSERT_TRUE(arena.allocate(kLength, extent));
    // One touched page in each, and one outside of the arena, stand for all.
    const auto touch = [&](std::uint64_t offset) {
        auto page = os::Mapping::map(memory.value().get(), offset, os::page_size(), os::Access::read_write);
        ASSERT_TRUE(page);
        page.value().data()[0] = std::byte{1};
    };
    touch(0);
    touch(kBase + extents[0].offset);
    touch(kBase + extents[1].offset);
    const auto all = status_of(memory.value()).st_blocks;
    arena.release(extents[0]);
    EXPECT_EQ(status_of(memory.value()).st_blocks, all) << "within the limit it stays for reuse";
    arena.release(extents[1]);
    const auto left = status_of(memory.value()).st_blocks;
    EXPECT_LT(left, all);
    EXPECT_GT(left, 0) << "more than that extent was given back";
    auto outside = os::Mapping::map(memory.value().get(), 0, os::page_size(), os::Access::read_only);
    ASSERT_TRUE(outside);
    EXPECT_EQ(outside.value().data()[0], std::byte{1});
}

}  // namespace
}  // namespace hardwork::shm
