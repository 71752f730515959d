// What a Future can do beside get: wait, cancel, outlive its pool.
#include <utility>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

TEST(Future, WaitsNoLongerThanItIsTold) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 300);
    EXPECT_FALSE(busy.wait_for(0ms));
    EXPECT_FALSE(busy.wait_for(-1s));
    EXPECT_FALSE(busy.wait_for(10ms));
    EXPECT_FALSE(busy.wait_until(std::chrono::steady_clock::now() + 10ms));
    EXPECT_THROW(busy.get_for(1ms), TimeoutError);
    EXPECT_TRUE(busy.valid());
    EXPECT_FALSE(busy.ready());
    EXPECT_TRUE(busy.wait_for(std::chrono::hours(1'000'000)));
    EXPECT_TRUE(busy.ready());
    EXPECT_EQ(busy.get_for(0s), 300);
    EXPECT_FALSE(busy.valid());
}

// Of a clock whose points are as far apart as they can be.
template <class Point>
void wait_until_extremes(Future<int>& future) {
    EXPECT_FALSE(future.wait_until(Point::min()));
    EXPECT_FALSE(future.wait_until(Point{}));
    EXPECT_FALSE(future.wait_until(Point::min() + typename Point::duration(1)));
}

TEST(Future, PointsInTimeMayBeAnyOfAnyClock) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 200);
    using std::chrono::steady_clock;
    using std::chrono::system_clock;
    wait_until_extremes<steady_clock::time_point>(busy);
    wait_until_extremes<system_clock::time_point>(busy);
    wait_until_extremes<std::chrono::time_point<system_clock, std::chrono::hours>>(busy);
    wait_until_extremes<std::chrono::time_point<steady_clock, std::chrono::duration<double>>>(busy);
    EXPECT_FALSE(busy.wait_until(steady_clock::now() - 1h));
    EXPECT_FALSE(busy.wait_for(std::chrono::hours::min()));
    EXPECT_TRUE(busy.wait_until(steady_clock::time_point::max()));
    EXPECT_TRUE(busy.wait_until(std::chrono::time_point<system_clock, std::chrono::hours>::max()));
    EXPECT_TRUE(busy.wait_for(std::chrono::hours::max()));
    EXPECT_TRUE(busy.wait_until(steady_clock::time_point::min())) << "it is done";
    // Also where others are told of it.
    auto told = pool.submit(nap, 100);
    told.on_done([] {});
    wait_until_extremes<system_clock::time_point>(told);
    EXPECT_TRUE(told.wait_until(system_clock::time_point::max()));
}

TEST(Future, CancelsWhatHasNotStarted) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 200);
    auto queued = pool.submit(twice, 1);
    EXPECT_TRUE(queued.cancel());
    EXPECT_TRUE(queued.ready());
    EXPECT_THROW(queued.get(), Cancelled);
    while (busy.state() != FutureState::running)
        std::this_thread::sleep_for(1ms);
    EXPECT_FALSE(busy.cancel());
    EXPECT_EQ(busy.get(), 200);
}

TEST(Future, WithoutATaskSaysSo) {
    Future<int> none;
    EXPECT_FALSE(none.valid());
    EXPECT_THROW(none.get(), InvalidFuture);
    EXPECT_THROW(none.wait(), InvalidFuture);
    EXPECT_THROW(none.wait_for(1ms), InvalidFuture);
    EXPECT_THROW(none.wait_until(std::chrono::steady_clock::now()), InvalidFuture);
    EXPECT_THROW(none.get_for(1ms), InvalidFuture);
    EXPECT_EQ(none.try_get_for(1ms).error().kind(), FailureKind::no_task);
    EXPECT_THROW(none.ready(), InvalidFuture);
    EXPECT_THROW(none.cancel(), InvalidFuture);
    ProcessPool pool({.workers = 1});
    auto one = pool.submit(twice, 1);
    none = std::move(one);
    EXPECT_FALSE(one.valid());  // NOLINT: that is what is asked
    EXPECT_THROW(one.wait_until(std::chrono::steady_clock::now()), InvalidFuture);
    EXPECT_THROW(one.get_for(1ms), InvalidFuture);
    EXPECT_EQ(one.try_get_for(1ms).error().kind(), FailureKind::no_task);
    EXPECT_EQ(none.get(), 2);
    EXPECT_THROW(none.get(), InvalidFuture);
}

TEST(Future, LetsItsTaskRunWhenItGoes) {
    ProcessPool pool({.workers = 1});
    const auto begin = std::chrono::steady_clock::now();
    (void)pool.submit(nap, 300);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 250ms);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    EXPECT_GT(std::chrono::steady_clock::now() - begin, 290ms);
}

TEST(Future, OutlivesItsPool) {
    Future<int> done;
    Future<std::string> large;
    {
        ProcessPool pool({.workers = 2});
        done = pool.submit(twice, 4);
        large = pool.submit([] { return std::string(3'000'000, 'z'); });
    }
    EXPECT_TRUE(done.ready());
    EXPECT_EQ(done.get(), 8);
    EXPECT_EQ(large.get(), std::string(3'000'000, 'z'));
}

}  // namespace
}  // namespace hardwork::test
