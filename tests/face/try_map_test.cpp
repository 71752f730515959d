// try_map, try_map_unordered, try_for_each, try_transform_reduce: the same as values.
#include <functional>
#include <string>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int die_at_3(int x) { return x == 3 ? die_by(SIGKILL) : fail_at_7(x); }

TEST(TryMap, EachItemIsAResult) {
    ProcessPool pool({.workers = 2});
    auto results = pool.try_map(die_at_3, range(0, 20));
    ASSERT_TRUE(results);
    int at = 0;
    for (Result<int>& item : *results) {
        if (at == 3) {
            ASSERT_FALSE(item);
            EXPECT_EQ(item.error().kind(), FailureKind::worker_died);
            EXPECT_EQ(item.error().death()->task, 3U);
        } else if (at == 7) {
            ASSERT_FALSE(item);
            EXPECT_EQ(item.error().kind(), FailureKind::thrown);
            EXPECT_EQ(item.error().what(), "std::out_of_range: seven");
        } else {
            EXPECT_EQ(*item, at);
        }
        ++at;
    }
    EXPECT_EQ(at, 20);
}

TEST(TryMap, ItemsCanBeMovedOutAndBeNothing) {
    ProcessPool pool({.workers = 2});
    auto texts =
        pool.try_map([](int x) { return std::string(static_cast<std::size_t>(x), 'x'); }, range(0, 50'000 / 500));
    std::vector<std::string> all;
    for (auto at = texts->begin(); at != texts->end(); ++at)
        all.push_back(std::move(**at));
    EXPECT_EQ(all.size(), 100U);
    EXPECT_EQ(all.back().size(), 99U);
    int count = 0;
    auto nothings = pool.try_map([](int x) { fail_at_7(x); }, std::vector<int>{1, 7, 3});
    for (Result<void>& item : *nothings)
        count += item ? 1 : 100;
    EXPECT_EQ(count, 102);
    EXPECT_TRUE(pool.try_map(twice, std::vector<int>{})->begin() == std::default_sentinel);
}

TEST(TryMap, UnorderedToo) {
    ProcessPool pool({.workers = 2});
    int sum = 0;
    int failed = 0;
    auto results = pool.try_map_unordered(fail_at_7, range(0, 20));
    for (Result<int>& item : *results)
        item ? sum += *item : ++failed;
    EXPECT_EQ(sum, 190 - 7);
    EXPECT_EQ(failed, 1);
}

TEST(TryMap, WhatTheRangeThrowsIsTheLastItem) {
    ProcessPool pool({.workers = 2});
    struct Numbers {
        struct iterator {
            using iterator_concept = std::input_iterator_tag;
            using value_type = int;
            using difference_type = std::ptrdiff_t;
            int at = 0;
            int operator*() const { return fail_at_7(at); }
            iterator& operator++() {
                ++at;
                return *this;
            }
            void operator++(int) { ++at; }
            bool operator==(std::default_sentinel_t) const { return false; }
        };
        iterator begin() const { return {}; }
        std::default_sentinel_t end() const { return {}; }
    };
    int at = 0;
    auto results = pool.try_map(twice, Numbers{});
    for (Result<int>& item : *results) {
        if (at < 7) {
            EXPECT_EQ(*item, 2 * at);
        } else {
            EXPECT_EQ(item.error().what(), "seven");
        }
        ++at;
    }
    EXPECT_EQ(at, 8);
}

TEST(TryMap, WhatEndsThePoolEndsIt) {
    ProcessPool pool({.workers = 1});
    auto results = pool.try_map(nap, std::vector<int>(100, 10'000));
    pool.kill();
    int failed = 0;
    for (Result<int>& item : *results) {
        EXPECT_EQ(item.error().kind(), FailureKind::cancelled);
        ++failed;
    }
    EXPECT_EQ(failed, 1);
    EXPECT_EQ(pool.try_map(twice, range(0, 3)).error().kind(), FailureKind::shut_down);
    EXPECT_EQ(pool.try_for_each(twice, range(0, 3)).error().kind(), FailureKind::shut_down);
    EXPECT_EQ(pool.try_transform_reduce(range(0, 3), 0, std::plus<>{}, twice).error().kind(), FailureKind::shut_down);
    const ProcessPool other = std::move(pool);
    EXPECT_EQ(pool.try_map(twice, range(0, 3)).error().kind(), FailureKind::no_task);  // NOLINT
    EXPECT_EQ(pool.try_transform_reduce(range(0, 3), 0, std::plus<>{}, twice).error().kind(), FailureKind::no_task);
}

TEST(TryMap, WithAPoolOfItsOwn) {
    int sum = 0;
    auto results = hardwork::try_map(twice, range(0, 1000), {.workers = 2});
    for (Result<int>& item : *results)
        sum += *item;
    EXPECT_EQ(sum, 999'000);
    EXPECT_EQ(hardwork::try_map(twice, range(0, 3), {.workers = 0}).error().kind(), FailureKind::bad_option);
}

TEST(TryForEach, GivesTheFirstFailure) {
    ProcessPool pool({.workers = 2});
    EXPECT_TRUE(pool.try_for_each(twice, range(0, 100)));
    EXPECT_EQ(pool.try_for_each(fail_at_7, range(0, 100)).error().type_name(), "std::out_of_range");
    EXPECT_EQ(pool.try_for_each(die_by, std::vector<int>{SIGKILL}).error().kind(), FailureKind::worker_died);
    EXPECT_EQ(pool.with({.timeout = 20ms, .grace = 0ms}).try_for_each(nap, std::vector<int>{60'000}).error().kind(),
              FailureKind::task_timeout);
}

TEST(TryTransformReduce, GivesTheValueOrTheFirstFailure) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.try_transform_reduce(range(0, 1000), 0, std::plus<>{}, twice).value(), 999'000);
    EXPECT_EQ(pool.try_transform_reduce(range(0, 0), 5, std::plus<>{}, twice).value(), 5);
    EXPECT_EQ(pool.try_transform_reduce(range(0, 100), 0, std::plus<>{}, fail_at_7).error().what(),
              "std::out_of_range: seven");
    // What `reduce` throws here.
    const auto careful = [](int a, int b) { return a + b < 1000 ? a + b : throw std::overflow_error("too much"); };
    EXPECT_EQ(pool.try_transform_reduce(range(0, 1000), 0, careful, twice).error().kind(), FailureKind::thrown);
}

}  // namespace
}  // namespace hardwork::test
