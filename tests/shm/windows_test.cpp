// Windows, of shm/arena.hpp: what a process sees of an arena, and what it refuses to look at.
#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "shm/arena.hpp"

namespace hardwork::shm {
namespace {

constexpr std::uint64_t kBase = kWindow;  // not 0: offsets count from there
constexpr std::uint64_t kSize = 16 * kWindow;
constexpr std::uint64_t kHuge = ~std::uint64_t{0};

class WindowsTest : public ::testing::Test {
  protected:
    WindowsTest() {
        auto memory = os::create_memory("test", kBase + kSize);
        EXPECT_TRUE(memory);
        if (memory) memory_ = memory.take();
        auto reader = os::reopen_read_only(memory_);
        EXPECT_TRUE(reader);
        if (reader) read_only_ = reader.take();
        windows_ = Windows(memory_.get(), kBase, kSize, os::Access::read_write);
        views_ = Windows(read_only_.get(), kBase, kSize, os::Access::read_only);
    }
    os::Fd memory_;
    os::Fd read_only_;
    Windows windows_;
    Windows views_;
};

TEST_F(WindowsTest, AReaderSeesWhatTheWriterWrote) {
    Arena arena(memory_.get(), kBase, kSize);
    std::vector<Extent> extents;
    for (const std::uint64_t length :
         {std::uint64_t{1}, std::uint64_t{700}, kWindow, 2 * kWindow + 77, std::uint64_t{100'000}}) {
        Extent extent{};
        ASSERT_TRUE(arena.allocate(length, extent));
        std::byte* data = windows_.at(extent);
        ASSERT_NE(data, nullptr);
        // The two ends and the middle.
        const auto mark = static_cast<std::byte>(extents.size() + 1);
        data[0] = data[length / 2] = data[length - 1] = mark;
        extents.push_back(extent);
    }
    for (std::size_t i = extents.size(); i-- > 0;) {
        const std::byte* data = views_.at(extents[i]);
        ASSERT_NE(data, nullptr) << i;
        EXPECT_EQ(data[0], static_cast<std::byte>(i + 1));
        EXPECT_EQ(data[extents[i].length / 2], static_cast<std::byte>(i + 1));
        EXPECT_EQ(data[extents[i].length - 1], static_cast<std::byte>(i + 1));
    }
}

TEST_F(WindowsTest, OffsetsCountFromTheBase) {
    std::byte* data = windows_.at({4096, 16});
    ASSERT_NE(data, nullptr);
    std::memcpy(data, "here", 4);
    auto page = os::Mapping::map(memory_.get(), kBase + 4096, 4096, os::Access::read_only);
    ASSERT_TRUE(page);
    EXPECT_EQ(std::memcmp(page.value().data(), "here", 4), 0);
}

TEST_F(WindowsTest, AWindowIsMappedOnce) {
    std::byte* first = windows_.at({0, 64});
    ASSERT_NE(first, nullptr);
    EXPECT_EQ(windows_.at({64, 64}), first + 64);
    ASSERT_NE(windows_.at({kWindow, 64}), nullptr);
    EXPECT_EQ(windows_.at({128, 64}), first + 128);
}

TEST_F(WindowsTest, RefusesWhatIsNotInTheArena) {
    EXPECT_NE(windows_.at({kSize - 64, 64}), nullptr);
    for (const Extent extent : {Extent{kSize - 64, 65}, Extent{kSize, 1}, Extent{kSize + 1, 0}, Extent{0, kSize + 1},
                                Extent{kHuge, 1}, Extent{0, kHuge}, Extent{kSize - kWindow, 2 * kWindow}}) {
        EXPECT_EQ(windows_.at(extent), nullptr) << extent.offset << " + " << extent.length;
    }
}

TEST_F(WindowsTest, RefusesSumsThatWrap) {
    for (const Extent extent : {Extent{64, kHuge - 63}, Extent{64, kHuge}, Extent{kHuge - 63, 64}, Extent{kHuge, kHuge},
                                Extent{kWindow, kHuge - kWindow + 1}, Extent{kHuge - kWindow + 1, 2 * kWindow}}) {
        EXPECT_EQ(windows_.at(extent), nullptr) << extent.offset << " + " << extent.length;
    }
}

// An arena never hands out such extents: only a worker that lies does.
TEST_F(WindowsTest, RefusesWhatNoArenaHandsOut) {
    EXPECT_EQ(windows_.at({kWindow - 64, 128}), nullptr) << "crosses into the next window";
    EXPECT_EQ(windows_.at({1, kWindow}), nullptr);
    EXPECT_EQ(windows_.at({64, kWindow + 1}), nullptr) << "a large one that does not begin on a window";
    EXPECT_EQ(windows_.at({kWindow + 1, 3 * kWindow}), nullptr);
}

TEST_F(WindowsTest, AForgedLengthDoesNotReplaceAMappingInUse) {
    std::byte* small = windows_.at({0, 64});
    ASSERT_NE(small, nullptr);
    small[5] = std::byte{55};
    EXPECT_EQ(windows_.at({0, 3 * kWindow}), nullptr) << "that offset belongs to small ones";
    EXPECT_EQ(small[5], std::byte{55});
    std::byte* large = windows_.at({4 * kWindow, 2 * kWindow});
    ASSERT_NE(large, nullptr);
    EXPECT_EQ(windows_.at({4 * kWindow, 3 * kWindow}), nullptr);
    large[2 * kWindow - 1] = std::byte{66};
    EXPECT_EQ(large[2 * kWindow - 1], std::byte{66});
}

TEST_F(WindowsTest, AForgottenExtentIsMappedAnew) {
    const Extent large{2 * kWindow, 2 * kWindow};
    std::byte* data = windows_.at(large);
    ASSERT_NE(data, nullptr);
    data[kWindow + 3] = std::byte{9};
    windows_.forget(large);
    windows_.forget(large);  // a second time does nothing
    data = windows_.at(large);
    ASSERT_NE(data, nullptr);
    EXPECT_EQ(data[kWindow + 3], std::byte{9}) << "the memory is the same";
    // A small extent's window is shared: it stays.
    std::byte* small = windows_.at({0, 64});
    windows_.forget({0, 64});
    ASSERT_NE(small, nullptr);
    small[0] = std::byte{1};
    EXPECT_EQ(windows_.at({0, 64}), small);
}

// A worker that lies names a small extent inside of a large one; when that is forgotten, the look-up of the window
// used last must not lead into what is unmapped.
TEST_F(WindowsTest, ForgettingEndsTheShortCutIntoTheMapping) {
    const Extent large{2 * kWindow, 2 * kWindow};
    const Extent inside{2 * kWindow + 64, 8};
    ASSERT_NE(windows_.at(large), nullptr);
    ASSERT_NE(windows_.at(inside), nullptr);
    windows_.forget(large);
    std::byte* data = windows_.at(inside);
    ASSERT_NE(data, nullptr);
    data[0] = std::byte{3};  // ends the program if it is not mapped
    EXPECT_EQ(views_.at(inside)[0], std::byte{3});
}

TEST_F(WindowsTest, WhatCannotBeMappedIsNull) {
    Windows nothing;
    EXPECT_EQ(nothing.at({0, 1}), nullptr);
    Windows closed(-1, kBase, kSize, os::Access::read_only);
    EXPECT_EQ(closed.at({0, 64}), nullptr);
    EXPECT_EQ(closed.at({0, 2 * kWindow}), nullptr);
    Windows forbidden(read_only_.get(), kBase, kSize, os::Access::read_write);
    EXPECT_EQ(forbidden.at({0, 64}), nullptr);
}

}  // namespace
}  // namespace hardwork::shm
