// The C++ face: calls, types, exceptions, deaths, maps.
#include <gtest/gtest.h>

#include <unistd.h>

#include <atomic>
#include <csignal>
#include <numeric>
#include <thread>

#include "hardwork/hardwork.hpp"

using namespace std::chrono_literals;
using hardwork::Future;
using hardwork::ProcessPool;

namespace {

int twice(int x) { return 2 * x; }
std::string join(const std::string& a, std::string b, int times) {
    std::string all = a;
    for (int i = 0; i < times; ++i)
        all += b;
    return all;
}
std::vector<double> scaled(const std::vector<double>& values, double by) {
    std::vector<double> all;
    for (const double value : values)
        all.push_back(value * by);
    return all;
}
void nothing() {}
int raise_segv(int) {
    raise(SIGSEGV);
    return 0;
}
int maybe_die(int x) {
    if (x == 500) raise(SIGKILL);
    return x;
}
int leave_with_3() { _exit(3); }
int throws(int x) {
    if (x == 7) throw std::out_of_range("seven");
    return x;
}
int naps(int ms) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ms));
    return ms;
}
int initialized = 0;

TEST(Pool, CallsFunctionsAndCapturelessLambdas) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(twice, 21).get(), 42);
    EXPECT_EQ(pool.submit([](int a, int b) { return a - b; }, 5, 3).get(), 2);
    pool.submit(nothing).get();
}

TEST(Pool, StringsVectorsPairsAndOptionalsTravel) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(join, "a", "bc", 3).get(), "abcbcbc");
    EXPECT_EQ(pool.submit(scaled, std::vector<double>{1, 2}, 1.5).get(), (std::vector<double>{1.5, 3}));
    auto words = pool.submit([](std::vector<std::string> all) { return all; }, std::vector<std::string>{"x", "", "yz"});
    EXPECT_EQ(words.get(), (std::vector<std::string>{"x", "", "yz"}));
    auto both = pool.submit([](int x) { return std::pair<std::string, int>("n", x); }, 4);
    EXPECT_EQ(both.get(), (std::pair<std::string, int>("n", 4)));
    auto none = pool.submit([](int x) { return x > 0 ? std::optional<std::string>("p") : std::nullopt; }, 0);
    EXPECT_EQ(none.get(), std::nullopt);
}

TEST(Pool, TwentyMegabytesThereAndBack) {
    ProcessPool pool({.workers = 2});
    std::vector<std::uint64_t> numbers(2'500'000);
    std::iota(numbers.begin(), numbers.end(), 0);
    EXPECT_EQ(pool.submit([](std::vector<std::uint64_t> all) { return all; }, numbers).get(), numbers);
}

TEST(Pool, AnExceptionComesBackByNameAndText) {
    ProcessPool pool({.workers = 1});
    try {
        pool.submit(throws, 7).get();
        FAIL();
    } catch (const hardwork::RemoteError& error) {
        EXPECT_EQ(error.type_name(), "std::out_of_range");
        EXPECT_EQ(error.message(), "seven");
    }
    EXPECT_EQ(pool.submit(throws, 8).get(), 8);
}

TEST(Pool, ACrashCostsItsOwnTaskOnly) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 1000; ++i)
        futures.push_back(pool.submit(maybe_die, i));
    for (int i = 0; i < 1000; ++i) {
        if (i == 500) {
            EXPECT_THROW(futures[500].get(), hardwork::WorkerDied);
        } else {
            ASSERT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
        }
    }
    try {
        pool.submit(raise_segv, 1).get();
        FAIL();
    } catch (const hardwork::WorkerDied& error) {
        EXPECT_EQ(error.death().phase, hardwork::Phase::run);
        EXPECT_GT(error.death().pid, 0);
        EXPECT_NE(error.death().status.kind, hardwork::ExitStatus::Kind::unknown);
    }
    try {
        pool.submit(leave_with_3).get();
        FAIL();
    } catch (const hardwork::WorkerDied& error) {
        EXPECT_EQ(error.death().status.value, 3);
    }
}

TEST(Pool, MapsIntegersAndOtherThingsInOrder) {
    ProcessPool pool({.workers = 2});
    int expected = 5;
    for (const int value : pool.map(twice, std::views::iota(5, 50'000)))
        ASSERT_EQ(value, 2 * expected++);
    EXPECT_EQ(expected, 50'000);
    std::vector<std::string> words;
    for (int i = 0; i < 20'000; ++i)
        words.push_back(std::to_string(i));
    std::size_t at = 0;
    for (const std::size_t size : pool.map([](const std::string& word) { return word.size(); }, words)) {
        ASSERT_EQ(size, words[at++].size());
    }
    EXPECT_EQ(at, words.size());
    for ([[maybe_unused]] const int value : pool.map(twice, std::views::iota(3, 3)))
        FAIL();
}

TEST(Pool, AnItemsExceptionIsThrownInItsPlaceAndTheRestStillComes) {
    ProcessPool pool({.workers = 2});
    auto results = pool.map(throws, std::views::iota(0, 10));
    std::vector<int> got;
    auto it = results.begin();
    for (; it != results.end();) {
        got.push_back(*it);
        try {
            ++it;
        } catch (const hardwork::RemoteError&) {
            got.push_back(-1);
            ++it;
        }
    }
    EXPECT_EQ(got, (std::vector<int>{0, 1, 2, 3, 4, 5, 6, -1, 8, 9}));
}

TEST(Pool, AnAbandonedMapLeavesThePoolUsable) {
    ProcessPool pool({.workers = 2});
    {
        auto results = pool.map(naps, std::views::iota(1, 1000));
        auto first = results.begin();
        EXPECT_EQ(*first, 1);
    }
    EXPECT_EQ(pool.submit(twice, 4).get(), 8);
}

TEST(Pool, WaitForCancelAndReady) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(naps, 300);
    auto queued = pool.submit(twice, 1);
    EXPECT_FALSE(busy.wait_for(1ms));
    EXPECT_TRUE(queued.cancel());
    EXPECT_THROW(queued.get(), hardwork::Cancelled);
    EXPECT_FALSE(queued.valid());
    EXPECT_THROW(queued.get(), std::logic_error);
    busy.wait();
    EXPECT_TRUE(busy.ready());
    EXPECT_EQ(busy.get(), 300);
}

TEST(Pool, TheInitializerRunsFirstAndItsFailureBreaksThePool) {
    {
        ProcessPool pool({.workers = 2, .initializer = [] { initialized = 17; }});
        EXPECT_EQ(pool.submit([] { return initialized; }).get(), 17);
    }
    ProcessPool pool({.workers = 1, .initializer = [] { throw std::runtime_error("no licence"); }});
    try {
        pool.submit(twice, 1).get();
        FAIL();
    } catch (const hardwork::BrokenPool& error) {
        EXPECT_NE(std::string(error.what()).find("no licence"), std::string::npos);
    }
}

TEST(Pool, BadOptionsAndLateSubmits) {
    EXPECT_THROW(ProcessPool({.workers = 0}), std::invalid_argument);
    EXPECT_THROW(ProcessPool({.workers = 5000}), std::invalid_argument);
    ProcessPool pool({.workers = 1});
    pool.shutdown();
    EXPECT_THROW(pool.submit(twice, 1), std::logic_error);
    EXPECT_TRUE(pool.pids().empty());
}

TEST(Pool, TwoPoolsSideBySideAndAProcessWithThreads) {
    ProcessPool one({.workers = 1});
    ProcessPool two({.workers = 1});
    EXPECT_EQ(one.submit(twice, 1).get() + two.submit(twice, 2).get(), 6);
    std::atomic<bool> stop{false};
    std::thread thread([&] { stop.wait(false); });
    EXPECT_THROW(ProcessPool({.workers = 1}), std::logic_error);
    stop = true;
    stop.notify_all();
    thread.join();
}

}  // namespace
