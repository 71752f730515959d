// map over the standard's views. Clang before 16 cannot read those of libstdc++.
#if !defined(__clang__) || __clang_major__ >= 16

#include <functional>
#include <ranges>
#include <sstream>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

TEST(Views, NumbersOfAnIotaView) {
    ProcessPool pool({.workers = 2});
    int expected = 5;
    for (const int value : pool.map(twice, std::views::iota(5, 100'000)))
        ASSERT_EQ(value, 2 * expected++);
    EXPECT_EQ(expected, 100'000);
}

TEST(Views, RangesWithoutASize) {
    ProcessPool pool({.workers = 2});
    std::istringstream text("1 2 3 4 5");
    EXPECT_EQ(collect(pool.map(twice, std::views::istream<int>(text))), (std::vector<int>{2, 4, 6, 8, 10}));
    auto odd = std::views::iota(0, 50'000) | std::views::filter([](int x) { return x % 2 == 1; });
    int expected = 1;
    for (const int value : pool.map(twice, odd)) {
        ASSERT_EQ(value, 2 * expected);
        expected += 2;
    }
    EXPECT_EQ(expected, 50'001);
    std::istringstream empty;
    EXPECT_TRUE(collect(pool.map(twice, std::views::istream<int>(empty))).empty());
}

TEST(Views, AreReducedToo) {
    ProcessPool pool({.workers = 2});
    std::istringstream text("1 2 3 4 5 6 7 8 9 10");
    EXPECT_EQ(pool.transform_reduce(std::views::istream<int>(text), 0, std::plus<>{}, twice), 110);
    const auto odd = [](int x) { return x % 2 == 1; };
    auto odds = std::views::iota(0, 50'000) | std::views::filter(odd);
    EXPECT_EQ(pool.transform_reduce(odds, 0L, std::plus<>{}, [](int x) { return long{x}; }), 625'000'000L);
    EXPECT_EQ(pool.transform_reduce(std::views::iota(0, 1000), 0, std::plus<>{}, twice), 999'000);
}

TEST(Views, AnEndlessRangeIsReadLittleAhead) {
    ProcessPool pool({.workers = 2});
    int read = 0;
    auto counted = std::views::iota(0) | std::views::transform([&read](int x) {
                       ++read;
                       return x;
                   });
    auto results = pool.map(twice, counted);
    EXPECT_EQ(read, 0);
    auto it = results.begin();
    for (int i = 0; i < 10; ++i, ++it)
        EXPECT_EQ(*it, 2 * i);
    EXPECT_LT(read, 1000);
    for (int i = 10; i < 20'000; ++i, ++it)
        ASSERT_EQ(*it, 2 * i);
    EXPECT_LT(read, 20'000 + 70'000);
}

TEST(Views, ARangeThatThrowsDoesSoAfterItsItems) {
    ProcessPool pool({.workers = 2});
    auto bad = std::views::iota(0) | std::views::transform([](int x) { return fail_at_7(x); });
    auto results = pool.map(twice, bad);
    auto it = results.begin();
    for (int i = 0; i < 7; ++i, ++it)
        EXPECT_EQ(*it, 2 * i);
    EXPECT_THROW(*it, std::out_of_range);
    ++it;
    EXPECT_TRUE(it == results.end());
    // With a size it is read at the call.
    auto sized = std::views::iota(0, 10) | std::views::transform([](int x) { return fail_at_7(x); });
    EXPECT_THROW(pool.map(twice, sized), std::out_of_range);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Views, AMapIsPartOfALongerPipe) {
    ProcessPool pool({.workers = 2});
    int taken = 0;
    for (const int value : pool.map(twice, range(0, 100'000)) | std::views::take(3))
        taken += value;
    EXPECT_EQ(taken, 6);
}

TEST(Views, APoolDoesNotWaitForARangeThatNobodyReads) {
    auto unread = [] {
        ProcessPool pool({.workers = 2});
        auto results = pool.map(twice, std::views::iota(0));
        results.begin();
        return results;
    }();
    EXPECT_THROW(collect(unread), ShutDown);
}

}  // namespace
}  // namespace hardwork::test

#endif
