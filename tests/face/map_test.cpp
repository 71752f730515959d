// map: every kind of range, failures at their item, maps that nobody reads to the end.
#include <forward_list>
#include <list>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint64_t> divisors(std::uint64_t n) {
    std::vector<std::uint64_t> all;
    for (std::uint64_t d = 1; d <= n && all.size() < 5; ++d) {
        if (n % d == 0) all.push_back(d);
    }
    return all;
}

TEST(Map, NumbersOfARange) {
    ProcessPool pool({.workers = 2});
    std::int64_t expected = 5;
    for (const int value : pool.map(twice, range(5, 100'000)))
        ASSERT_EQ(value, 2 * expected++);
    EXPECT_EQ(expected, 100'000);
    std::int64_t n = -50;
    for (const auto value : pool.map([](std::int64_t x) { return -x; }, range(std::int8_t{-50}, std::int8_t{50})))
        ASSERT_EQ(value, -n++);
    EXPECT_EQ(n, 50);
    std::uint64_t at = 1;
    for (const auto& all : pool.map(divisors, range(1, 3000)))
        ASSERT_EQ(all, divisors(at++));
    EXPECT_TRUE(collect(pool.map(twice, range(3, 3))).empty());
}

TEST(Map, AVectorAList) {
    ProcessPool pool({.workers = 2});
    std::vector<int> numbers(200'000);
    for (std::size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = static_cast<int>(i * 7 % 1000);
    const auto doubled = collect(pool.map(twice, numbers));
    ASSERT_EQ(doubled.size(), numbers.size());
    for (std::size_t i = 0; i < numbers.size(); ++i)
        ASSERT_EQ(doubled[i], 2 * numbers[i]);
    EXPECT_EQ(collect(pool.map(twice, std::list<int>{3, 1, 2})), (std::vector<int>{6, 2, 4}));
    EXPECT_EQ(collect(pool.map(twice, std::vector<bool>{true, false})), (std::vector<int>{2, 0}));
    EXPECT_TRUE(collect(pool.map(twice, std::vector<int>{})).empty());
}

TEST(Map, Texts) {
    ProcessPool pool({.workers = 2});
    std::vector<std::string> words;
    for (std::size_t i = 0; i < 30'000; ++i)
        words.push_back(std::string(i % 100, 'w') + std::to_string(i));
    std::size_t at = 0;
    for (const auto& word : pool.map([](const std::string& word) { return word + "!"; }, words))
        ASSERT_EQ(word, words[at++] + "!");
    EXPECT_EQ(at, words.size());
    const std::vector<std::string_view> views{"a", "bcd"};
    EXPECT_EQ(collect(pool.map([](std::string_view text) { return text.size(); }, views)),
              (std::vector<std::size_t>{1, 3}));
    // Each larger than a span.
    const std::vector<std::string> large(5, std::string(1'000'000, 'l'));
    EXPECT_EQ(collect(pool.map([](std::string text) { return text; }, large)), large);
}

TEST(Map, OfNothingToReturn) {
    ProcessPool pool({.workers = 2});
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& done : pool.map([](int) {}, range(0, 100)))
        ++count;
    EXPECT_EQ(count, 100U);
}

TEST(Map, AListWithoutASize) {
    ProcessPool pool({.workers = 2});
    const std::forward_list<int> list{4, 5};
    EXPECT_EQ(collect(pool.map(twice, list)), (std::vector<int>{8, 10}));
    EXPECT_EQ(collect(pool.map(twice, std::forward_list<int>(10'000, 3))), std::vector<int>(10'000, 6));
}

TEST(Map, AnExceptionComesAtItsItemAndTheRestAfterIt) {
    ProcessPool pool({.workers = 2});
    auto results = pool.map(fail_at_7, range(0, 20));
    int at = 0;
    for (auto it = results.begin(); it != results.end(); ++it, ++at) {
        if (at == 7) {
            EXPECT_EQ(caught<RemoteError>([&] { *it; }).message(), "seven");
        } else {
            EXPECT_EQ(*it, at);
        }
    }
    EXPECT_EQ(at, 20);
}

TEST(Map, ADeathCostsItsItem) {
    ProcessPool pool({.workers = 2});
    auto results = pool.map([](int x) { return x == 333 ? die_by(SIGKILL) : x; }, range(0, 1000));
    int at = 0;
    for (auto it = results.begin(); it != results.end(); ++it, ++at) {
        if (at == 333) {
            EXPECT_EQ(caught<WorkerDied>([&] { *it; }).task(), 333U);
        } else {
            ASSERT_EQ(*it, at);
        }
    }
    EXPECT_EQ(at, 1000);
}

TEST(Map, AbandonedOneCancelsWhatHasNotStarted) {
    const auto begin = std::chrono::steady_clock::now();
    {
        ProcessPool pool({.workers = 2});
        {
            auto results = pool.map(nap, std::vector<int>(100'000, 10));
            EXPECT_EQ(*results.begin(), 10);
        }
    }
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
}

TEST(Map, Cancelled) {
    ProcessPool pool({.workers = 1});
    auto results = pool.map([](int x) { return nap(5) + x; }, range(0, 100'000));
    auto it = results.begin();
    EXPECT_EQ(*it, 5);
    results.cancel();
    int last = 0;
    EXPECT_THROW(for (;; ++it) last = *it, Cancelled);
    EXPECT_LT(last, 50'000);
    ++it;
    EXPECT_TRUE(it == results.end());
}

TEST(Map, ThePoolMayEndBeforeItsResultsAreRead) {
    auto read = [] {
        ProcessPool pool({.workers = 2});
        return pool.map([](int x) { return std::string(static_cast<std::size_t>(x), 'x'); }, range(0, 500));
    }();
    EXPECT_EQ(collect(read).size(), 500U);
}

TEST(Map, WithAPoolOfItsOwn) {
    std::uint64_t sum = 0;
    for (const int value : hardwork::map(twice, range(0, 1000), {.workers = 2}))
        sum += static_cast<std::uint64_t>(value);
    EXPECT_EQ(sum, 999'000U);
    { auto abandoned = hardwork::map(nap, std::vector<int>(1000, 20), {.workers = 2}); }
    EXPECT_TRUE(child_pids(getpid()).empty());
}

}  // namespace
}  // namespace hardwork::test
