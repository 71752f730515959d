// map_unordered, for_each, transform_reduce.
#include <algorithm>
#include <functional>
#include <numeric>
#include <string>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::string_literals;

int nap_if_first(int x) {
    if (x == 0) nap(300);
    return x;
}

std::string text_of(int x) { return "<" + std::to_string(x) + ">"; }

TEST(MapUnordered, GivesAllResultsAndTheSlowOneLast) {
    ProcessPool pool({.workers = 2});
    auto results = collect(pool.map_unordered(nap_if_first, range(0, 200)));
    ASSERT_EQ(results.size(), 200U);
    EXPECT_EQ(results.back(), 0);
    std::ranges::sort(results);
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(results[static_cast<std::size_t>(i)], i);
    EXPECT_TRUE(collect(pool.map_unordered(twice, std::vector<int>{})).empty());
}

TEST(MapUnordered, AFailureIsItsOwnItems) {
    ProcessPool pool({.workers = 2});
    auto results = pool.map_unordered(fail_at_7, range(0, 20));
    int sum = 0;
    int failed = 0;
    for (auto at = results.begin(); at != results.end(); ++at) {
        try {
            sum += *at;
        } catch (const RemoteError&) {
            ++failed;
        }
    }
    EXPECT_EQ(sum, 190 - 7);
    EXPECT_EQ(failed, 1);
}

// Of a type that cannot travel: nobody asks for it.
struct Unsendable {
    int* pointer = nullptr;
    std::thread thread;
};

TEST(ForEach, RunsAllAndGivesNothing) {
    ProcessPool pool({.workers = 2});
    const auto folder = std::filesystem::temp_directory_path() / ("hardwork_for_each_" + std::to_string(getpid()));
    std::filesystem::create_directory(folder);
    pool.for_each(
        [](const std::filesystem::path& path) {
            std::ofstream(path) << "there";
            return Unsendable{};
        },
        std::vector<std::filesystem::path>{folder / "a", folder / "b", folder / "c"});
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 3);
    std::filesystem::remove_all(folder);
    pool.for_each(twice, std::vector<int>{});
}

TEST(ForEach, ThrowsTheFirstFailureAndDoesNotStartTheRest) {
    ProcessPool pool({.workers = 1});
    EXPECT_THROW(pool.for_each(fail_at_7, range(0, 100)), RemoteError);
    EXPECT_THROW(pool.for_each(die_by, std::vector<int>{SIGKILL}), WorkerDied);
    const auto begin = std::chrono::steady_clock::now();
    const auto fail_or_nap = [](int x) { return x == 0 ? fail_at_7(7) : nap(50); };
    EXPECT_THROW(pool.for_each(fail_or_nap, range(0, 1000)), RemoteError);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(40));
}

TEST(TransformReduce, OfNumbersAndItems) {
    ProcessPool pool({.workers = 2});
    const auto square = [](long x) { return x * x; };
    const long expected = 99'999L * 100'000L * 199'999L / 6;
    EXPECT_EQ(pool.transform_reduce(range(0L, 100'000L), 0L, std::plus<>{}, square), expected);
    EXPECT_EQ(pool.transform_reduce(range(0L, 1L), 5L, std::plus<>{}, square), 5);
    EXPECT_EQ(pool.transform_reduce(range(0L, 0L), 5L, std::plus<>{}, square), 5);
    std::vector<std::string> words(10'000, "four");
    EXPECT_EQ(pool.transform_reduce(words, std::size_t{2}, std::plus<>{}, &std::string::size), 40'002U);
    const std::vector<int> few{3, 1, 2};
    EXPECT_EQ(pool.transform_reduce(
                  few, 0, [](int a, int b) { return std::max(a, b); }, twice),
              6);
}

TEST(TransformReduce, KeepsTheOrderForWhatDoesNotCommute) {
    ProcessPool pool({.workers = 2});
    std::string expected = "begin";
    for (int i = 0; i < 3000; ++i)
        expected += text_of(i);
    EXPECT_EQ(pool.transform_reduce(range(0, 3000), "begin"s, std::plus<>{}, text_of), expected);
    std::vector<int> items(3000);
    std::iota(items.begin(), items.end(), 0);
    EXPECT_EQ(pool.transform_reduce(items, "begin"s, std::plus<>{}, text_of), expected);
}

TEST(TransformReduce, ReducesInTheWorkers) {
    ProcessPool pool({.workers = 2});
    // What comes to this process is few values for many items.
    const int me = getpid();
    const auto merge = [me](std::pair<int, int> a, std::pair<int, int> b) {
        return std::pair<int, int>(a.first + b.first, a.second + b.second + (getpid() == me ? 1 : 0));
    };
    const auto [items, here] = pool.transform_reduce(range(0, 20'000), std::pair<int, int>(0, 0), merge,
                                                     [](int) { return std::pair<int, int>(1, 0); });
    EXPECT_EQ(items, 20'000);
    EXPECT_GT(here, 0);
    EXPECT_LT(here, 2'000);
}

TEST(TransformReduce, CallablesWithAState) {
    ProcessPool pool({.workers = 2});
    int by = 3;
    const auto times = [by](int x) { return by * x; };
    EXPECT_EQ(pool.transform_reduce(range(0, 1000), 0, std::plus<>{}, times), 3 * 499'500);
    const std::vector<int> table{5, 6, 7};
    const auto look_up =
        bound([](const std::vector<int>& all, int i) { return all.at(static_cast<std::size_t>(i)); }, table);
    EXPECT_EQ(pool.transform_reduce(range(0, 3), 0, std::plus<>{}, look_up), 18);
    EXPECT_THROW(pool.transform_reduce(range(0, 4), 0, std::plus<>{}, look_up), RemoteError);
    int calls = 0;
    EXPECT_EQ(pool.transform_reduce(range(0, 100), 0, std::plus<>{}, [calls](int) mutable { return ++calls; }), 100);
}

TEST(TransformReduce, EndsWithTheFirstFailure) {
    ProcessPool pool({.workers = 2});
    EXPECT_THROW(pool.transform_reduce(range(0, 1000), 0, std::plus<>{}, fail_at_7), RemoteError);
    EXPECT_THROW(pool.transform_reduce(std::vector<int>{SIGKILL}, 0, std::plus<>{}, die_by), WorkerDied);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

}  // namespace
}  // namespace hardwork::test
