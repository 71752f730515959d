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
    EXPECT_THROW(none.ready(), InvalidFuture);
    EXPECT_THROW(none.cancel(), InvalidFuture);
    ProcessPool pool({.workers = 1});
    auto one = pool.submit(twice, 1);
    none = std::move(one);
    EXPECT_FALSE(one.valid());  // NOLINT: that is what is asked
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
