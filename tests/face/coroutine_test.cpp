// co_await of a Future, in coroutines that know nothing of hardwork.
#include <coroutine>
#include <exception>
#include <future>
#include <memory>
#include <string>
#include <utility>

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

// One that begins when it is awaited, and goes over to who waits for it by symmetric transfer, as those of libraries do.
template <class T>
class Lazy {
  public:
    struct promise_type;
    using Handle = std::coroutine_handle<promise_type>;
    struct Final {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(Handle done) noexcept { return done.promise().waiting; }
        void await_resume() noexcept {}
    };
    struct promise_type {
        std::coroutine_handle<> waiting = std::noop_coroutine();
        std::exception_ptr thrown;
        T value{};
        Lazy get_return_object() { return Lazy(Handle::from_promise(*this)); }
        std::suspend_always initial_suspend() noexcept { return {}; }
        Final final_suspend() noexcept { return {}; }
        void return_value(T x) { value = std::move(x); }
        void unhandled_exception() { thrown = std::current_exception(); }
    };

    Lazy(Lazy&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Lazy& operator=(Lazy&&) = delete;
    ~Lazy() {
        if (handle_) handle_.destroy();
    }
    bool await_ready() { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> waiting) {
        handle_.promise().waiting = waiting;
        return handle_;
    }
    T await_resume() {
        if (handle_.promise().thrown) std::rethrow_exception(handle_.promise().thrown);
        return std::move(handle_.promise().value);
    }

  private:
    explicit Lazy(Handle handle) : handle_(handle) {}
    Handle handle_;
};

Lazy<int> doubled(ProcessPool& pool, int x) { co_return co_await pool.submit(twice, x); }

Lazy<int> depth_of(ProcessPool& pool, int depth) {
    if (depth == 0) co_return co_await doubled(pool, 1);
    co_return co_await depth_of(pool, depth - 1) + 1;
}

Lazy<int> caught_below(ProcessPool& pool) {
    try {
        co_return co_await pool.submit(fail_at_7, 7);
    } catch (const RemoteError&) {
        throw std::logic_error("from below");
    }
}

Job<int> of_lazy_ones(ProcessPool& pool) {
    int sum = 0;
    for (int i = 0; i < 2'000; ++i)
        sum += co_await doubled(pool, i);
    sum += co_await depth_of(pool, 100);
    auto done = pool.submit(twice, 4);
    done.wait();
    sum += co_await std::move(done);  // without a stop in between
    try {
        co_await caught_below(pool);
    } catch (const std::logic_error&) {
        ++sum;
    }
    co_return sum;
}

TEST(Coroutine, LazyOnesThatTransferToEachOther) {
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(of_lazy_ones(pool).result.get(), 2'000 * 1'999 + 102 + 8 + 1);
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
