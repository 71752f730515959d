// Futures that tell of their end: on_done, then, when_all, when_any, as_completed.
#include <atomic>
#include <condition_variable>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

// Becomes true on another thread.
class Flag {
  public:
    void set() {
        const std::lock_guard hold(lock_);
        set_ = true;
        changed_.notify_all();
    }
    void wait() {
        std::unique_lock hold(lock_);
        changed_.wait(hold, [this] { return set_; });
    }

  private:
    std::mutex lock_;
    std::condition_variable changed_;
    bool set_ = false;
};

TEST(OnDone, CallsBackAlsoWhenTheFutureHasGone) {
    ProcessPool pool({.workers = 1});
    const auto flag = std::make_shared<Flag>();
    std::thread::id where;
    pool.submit(nap, 30).on_done([flag, &where] {
        where = std::this_thread::get_id();
        flag->set();
    });
    flag->wait();
    EXPECT_NE(where, std::this_thread::get_id());
}

TEST(OnDone, RunsInTheirOrderAndOnceEach) {
    ProcessPool pool({.workers = 1});
    auto future = pool.submit(nap, 50);
    std::string order;
    const auto flag = std::make_shared<Flag>();
    future.on_done([&order] { order += "a"; });
    future.on_done([&order]() -> int { throw std::runtime_error(order += "b"); });
    future.on_done([&order, flag] {
        order += "c";
        flag->set();
    });
    EXPECT_EQ(future.get(), 50);
    flag->wait();
    EXPECT_EQ(order, "abc");
}

TEST(OnDone, OfADoneTaskIsAtOnceAndHere) {
    ProcessPool pool({.workers = 1});
    auto future = pool.submit(twice, 1);
    future.wait();
    bool here = false;
    future.on_done([&here, me = std::this_thread::get_id()] { here = me == std::this_thread::get_id(); });
    EXPECT_TRUE(here);
    EXPECT_EQ(future.state(), FutureState::value);
    EXPECT_EQ(future.get(), 2);
    EXPECT_THROW(future.on_done([] {}), InvalidFuture);
}

TEST(OnDone, TellsOfDeathsAndCancelsToo) {
    ProcessPool pool({.workers = 1});
    auto dies = pool.submit(die_by, SIGKILL);
    auto busy = pool.submit(nap, 100);
    auto queued = pool.submit(twice, 1);
    std::atomic<int> told = 0;
    for (auto* future : {&dies, &busy, &queued})
        future->on_done([&told] { ++told; });
    EXPECT_TRUE(queued.cancel());
    EXPECT_EQ(queued.state(), FutureState::cancelled);
    pool.shutdown();
    EXPECT_EQ(told, 3);
    EXPECT_EQ(dies.state(), FutureState::failed);
    EXPECT_THROW(dies.get(), WorkerDied);
    EXPECT_THROW(queued.get(), Cancelled);
    EXPECT_EQ(busy.get(), 100);
}

TEST(Future, SaysHowFarItIs) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 300);
    auto queued = pool.submit(nap, 0);
    while (busy.state() == FutureState::waiting)
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(busy.state(), FutureState::running);
    EXPECT_EQ(queued.state(), FutureState::waiting);
    queued.wait();
    EXPECT_EQ(busy.state(), FutureState::value);
    auto wrong = pool.submit(fail_at_7, 7);
    wrong.wait();
    EXPECT_EQ(wrong.state(), FutureState::failed);
    EXPECT_THROW(Future<int>().state(), InvalidFuture);
}

TEST(Then, GoesOnWithTheValue) {
    ProcessPool pool({.workers = 2});
    auto text = pool.submit(twice, 4).then([](int x) { return std::to_string(x); }).then([](const std::string& s) {
        return s + "!";
    });
    static_assert(std::is_same_v<decltype(text), Future<std::string>>);
    EXPECT_EQ(text.get(), "8!");
    EXPECT_FALSE(text.valid());
    int seen = 0;
    Future<void> nothing = pool.submit(nap, 20).then([&seen](int x) { seen = x; });
    nothing.get();
    EXPECT_EQ(seen, 20);
    EXPECT_EQ(pool.submit([] {}).then([] { return 7; }).get(), 7);
    // A value that has no Codec, and cannot be copied: it does not travel.
    auto own =
        pool.submit(twice, 2).then([](int x) { return std::unique_ptr<std::thread>(x == 4 ? nullptr : nullptr); });
    EXPECT_EQ(own.get(), nullptr);
    auto moved = pool.submit(twice, 4);
    auto next = moved.then([](int x) { return x; });
    EXPECT_FALSE(moved.valid());
    EXPECT_THROW(moved.then([](int x) { return x; }), InvalidFuture);
    EXPECT_EQ(next.get(), 8);
}

TEST(Then, PassesFailuresOnOrTakesThem) {
    ProcessPool pool({.workers = 1});
    bool called = false;
    auto skipped = pool.submit(fail_at_7, 7).then([&called](int x) {
        called = true;
        return x;
    });
    skipped.wait();
    EXPECT_EQ(skipped.state(), FutureState::failed);
    EXPECT_THROW(skipped.get(), RemoteError);
    EXPECT_FALSE(called);
    auto handled = pool.submit(fail_at_7, 7).then([](Result<int> result) { return result ? 0 : 1; });
    EXPECT_EQ(handled.get(), 1);
    auto throws = pool.submit(twice, 1).then([](int) -> int { throw std::length_error("here"); });
    EXPECT_THROW(throws.get(), std::length_error);
    auto died = pool.submit(die_by, SIGKILL).then([](int x) { return x; });
    EXPECT_EQ(died.try_get().error().kind(), FailureKind::worker_died);
}

TEST(Then, GoesOnWithTheFutureThatAFunctionGives) {
    ProcessPool pool({.workers = 1});
    Future<int> again =
        pool.submit(twice, 1).then([&pool](int x) { return pool.submit(twice, x); }).then([&pool](int x) {
            return pool.submit(twice, x);
        });
    EXPECT_EQ(again.get(), 8);
    EXPECT_EQ(pool.submit(twice, 1).then([](int) { return Future<int>(); }).try_get().error().kind(),
              FailureKind::no_task);
    auto failed = pool.submit(twice, 1).then([&pool](int) { return pool.submit(fail_at_7, 7); });
    EXPECT_THROW(failed.get(), RemoteError);
}

TEST(Then, CancelsWhatItGoesOnFrom) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 200);
    auto next = pool.submit(twice, 1).then([](int x) { return x; }).then([](int x) { return x; });
    EXPECT_EQ(next.state(), FutureState::waiting);
    EXPECT_TRUE(next.cancel());
    EXPECT_THROW(next.get(), Cancelled);
    EXPECT_EQ(busy.get(), 200);
}

TEST(Then, WaitsNoLongerThanItIsTold) {
    ProcessPool pool({.workers = 1});
    auto slow = pool.submit(nap, 200).then([](int x) { return x; });
    EXPECT_FALSE(slow.ready());
    EXPECT_FALSE(slow.wait_for(5ms));
    EXPECT_FALSE(slow.wait_for(-1s));
    EXPECT_THROW(slow.get_for(1ms), TimeoutError);
    EXPECT_TRUE(slow.wait_for(1h));
    EXPECT_EQ(slow.get(), 200);
}

TEST(Then, ACallbackMayWaitForTasksButNotForOtherCallbacks) {
    ProcessPool pool({.workers = 1});
    auto inside = pool.submit(twice, 1).then([&pool](int x) { return pool.submit(twice, x).get(); });
    EXPECT_EQ(inside.get(), 4);
    auto stuck = pool.submit(nap, 50).then(
        [&pool](int x) { return pool.submit(nap, 50).then([](int y) { return y; }).get() + x; });
    EXPECT_THROW(stuck.get(), WouldWaitForever);
    // The end of the pool would be that of the thread that waits for it.
    auto ended = pool.submit(nap, 20).then([&pool](int) { pool.shutdown(); });
    ended.get();
    EXPECT_THROW(pool.submit(twice, 1), ShutDown);
}

TEST(Then, OutlivesItsPool) {
    Future<int> next;
    {
        ProcessPool pool({.workers = 1});
        next = pool.submit(nap, 20).then([](int x) { return x + 1; });
    }
    EXPECT_TRUE(next.ready());
    EXPECT_EQ(next.get(), 21);
}

TEST(WhenAll, GivesThemBackWhenAllAreDone) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20; ++i)
        futures.push_back(pool.submit(fail_at_7, i));
    auto all = when_all(futures);
    EXPECT_FALSE(all.cancel());
    int sum = 0;
    int failed = 0;
    for (auto& future : all.get()) {
        EXPECT_TRUE(future.ready());
        const auto result = future.try_get();
        result ? sum += *result : ++failed;
    }
    EXPECT_EQ(sum, 190 - 7);
    EXPECT_EQ(failed, 1);
    EXPECT_FALSE(futures.front().valid());
    auto [number, text, nothing] =
        when_all(pool.submit(twice, 2), pool.submit([] { return std::string("t"); }), pool.submit([] {})).get();
    EXPECT_EQ(number.get(), 4);
    EXPECT_EQ(text.get(), "t");
    nothing.get();
    EXPECT_TRUE(when_all(std::vector<Future<int>>()).get().empty());
    EXPECT_THROW(when_all(pool.submit(twice, 1), Future<int>()), InvalidFuture);
}

TEST(WhenAny, GivesAllBackWhenTheFirstIsDone) {
    ProcessPool pool({.workers = 2});
    auto [index, futures] = when_any(pool.submit(nap, 400), pool.submit(nap, 10)).get();
    EXPECT_EQ(index, 1U);
    EXPECT_EQ(std::get<1>(futures).get(), 10);
    EXPECT_FALSE(std::get<0>(futures).ready());
    EXPECT_EQ(std::get<0>(futures).get(), 400);
    std::vector<Future<int>> none;
    EXPECT_EQ(when_any(none).get().index, WhenAny<std::vector<Future<int>>>::none);
    std::vector<Future<int>> done;
    done.push_back(pool.submit(twice, 1));
    done.front().wait();
    auto any = when_any(std::move(done));
    EXPECT_TRUE(any.ready());
    EXPECT_EQ(any.get().futures.front().get(), 2);
}

TEST(AsCompleted, GivesEachAsSoonAsItIsDone) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    futures.push_back(pool.submit(nap, 300));
    for (int i = 0; i < 5; ++i)
        futures.push_back(pool.submit(twice, i));
    std::vector<int> order;
    for (Future<int>& future : as_completed(futures)) {
        EXPECT_TRUE(future.ready());
        order.push_back(future.get());
    }
    ASSERT_EQ(order.size(), 6U);
    EXPECT_EQ(order.back(), 300);
    std::list<Future<int>> list;
    list.push_back(pool.submit(fail_at_7, 7));
    int failed = 0;
    for (auto& future : as_completed(std::move(list)))
        failed += future.try_get() ? 0 : 1;
    EXPECT_EQ(failed, 1);
    for (auto& future : as_completed(std::vector<Future<int>>()))
        FAIL() << future.get();
    EXPECT_THROW(as_completed(futures), InvalidFuture);
}

TEST(Continuation, ThousandsFromManyThreads) {
    ProcessPool pool({.workers = 2});
    std::atomic<int> sum = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&pool, &sum] {
            std::vector<Future<void>> futures;
            for (int i = 0; i < 500; ++i)
                futures.push_back(pool.submit(twice, i).then([&sum](int x) { sum += x; }));
            for (auto& future : when_all(futures).get())
                future.get();
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(sum, 4 * 499 * 500);
}

TEST(Continuation, InAForkWaitingIsAnErrorAndNotForEver) {
    ProcessPool pool({.workers = 1});
    auto slow = pool.submit(nap, 300).then([](int x) { return x; });
    std::vector<Future<int>> one;
    one.push_back(pool.submit(nap, 300));
    auto completed = as_completed(one);
    const pid_t child = fork();
    if (child == 0) {
        int right = 0;
        right += slow.try_get_for(10s).error().kind() == FailureKind::wrong_process ? 1 : 0;
        right += slow.try_get().error().kind() == FailureKind::wrong_process ? 2 : 0;
        try {
            completed.begin();
        } catch (const WrongProcess&) {
            right += 4;
        }
        _exit(right);
    }
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 7);
    EXPECT_EQ(slow.get(), 300);
}

}  // namespace
}  // namespace hardwork::test
