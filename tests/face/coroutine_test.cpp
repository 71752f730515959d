// co_await of a Future, in coroutines that know nothing of hardwork.
#include <coroutine>
#include <exception>
#include <future>
#include <memory>
#include <string>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

// A coroutine that begins at once; its result is a std::future's.
template <class T>
struct Job {
    struct promise_type {
        std::promise<T> promise;
        Job get_return_object() { return {promise.get_future()}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept { return {}; }
        void return_value(T value) { promise.set_value(std::move(value)); }
        void unhandled_exception() { promise.set_exception(std::current_exception()); }
    };
    std::future<T> result;
};

Job<int> chain(ProcessPool& pool) {
    auto first = pool.submit(twice, 1);
    const int x = co_await first;
    EXPECT_FALSE(first.valid());
    const int y = co_await pool.submit(nap, 20);
    co_await pool.submit([] {});
    auto [a, b] = co_await when_all(pool.submit(twice, x), pool.submit(twice, y));
    co_return co_await a + co_await b;
}

Job<std::string> fails(ProcessPool& pool) {
    try {
        co_await pool.submit(fail_at_7, 7);
    } catch (const RemoteError& error) {
        co_return error.message();
    }
    co_return "nothing was thrown";
}

Job<int> waits_for_none() {
    Future<int> none;
    co_return co_await none;
}

TEST(Coroutine, GoesOnWithResults) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(chain(pool).result.get(), 44);
    EXPECT_EQ(fails(pool).result.get(), "seven");
    EXPECT_THROW(waits_for_none().result.get(), InvalidFuture);
}

TEST(Coroutine, ManyAtATime) {
    ProcessPool pool({.workers = 2});
    std::vector<Job<int>> jobs;
    for (int i = 0; i < 200; ++i)
        jobs.push_back(chain(pool));
    for (auto& job : jobs)
        EXPECT_EQ(job.result.get(), 44);
}

// One that its owner can destroy while it waits.
struct Owned {
    struct promise_type {
        Owned get_return_object() { return {std::coroutine_handle<promise_type>::from_promise(*this)}; }
        std::suspend_never initial_suspend() noexcept { return {}; }
        std::suspend_always final_suspend() noexcept { return {}; }
        void return_void() {}
        void unhandled_exception() { std::terminate(); }
    };
    std::coroutine_handle<promise_type> handle;
};

Owned note(ProcessPool& pool, std::shared_ptr<int> seen) { *seen = co_await pool.submit(nap, 100); }

TEST(Coroutine, DestroyedWhileItWaitsIsNotResumed) {
    ProcessPool pool({.workers = 1});
    const auto seen = std::make_shared<int>(0);
    Owned waiting = note(pool, seen);
    EXPECT_EQ(seen.use_count(), 2);
    waiting.handle.destroy();
    EXPECT_EQ(seen.use_count(), 1);
    pool.shutdown();
    EXPECT_EQ(*seen, 0);
}

}  // namespace
}  // namespace hardwork::test
