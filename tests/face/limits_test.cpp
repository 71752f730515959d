// Time limits, stops, retries and memory limits, as the C++ face has them. How the engine keeps them: tests/engine.
#include <sys/mman.h>

#include <atomic>
#include <cstring>
#include <utility>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

// Of all processes that are forked from this one.
std::atomic<int>& shared_number =
    *new (mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0))
        std::atomic<int>(0);

// Ends when it is told to, with what the Future shall throw.
int heed(int x) {
    while (x < 0) {
        this_task::throw_if_stopped();
        std::this_thread::sleep_for(1ms);
    }
    return x;
}

// Ends when it is told to, with what it has.
int count_while_allowed() {
    int looks = 0;
    for (; !this_task::stop_requested(); std::this_thread::sleep_for(1ms))
        ++looks;
    return this_task::stop_requested() ? looks : -1;  // it is still said
}

int ignore(int x) {
    while (x < 0)
        std::this_thread::sleep_for(10ms);
    return x;
}

int die_until(int run) {
    const int runs = ++shared_number;
    return runs < run ? die_by(SIGKILL) : runs;
}

bool is_to_stop() { return this_task::stop_requested(); }

template <class T>
void wait_until_running(Future<T>& future) {
    while (future.state() == FutureState::waiting)
        std::this_thread::sleep_for(1ms);
}

TEST(Limits, ATaskEndsItselfAtItsTimeLimit) {
    ProcessPool pool({.workers = 1});
    const int pid = pool.submit(worker_pid).get();
    auto view = pool.with({.timeout = 30ms, .grace = 1h});
    const auto error = caught<TaskTimeout>([&] { view.submit(heed, -1).get(); });
    EXPECT_EQ(error.death(), nullptr);
    EXPECT_STREQ(error.what(), "the task ran longer than its time limit");
    EXPECT_GE(view.submit(count_while_allowed).get(), 0);
    EXPECT_FALSE(pool.submit(is_to_stop).get());
    EXPECT_EQ(pool.submit(worker_pid).get(), pid);
    EXPECT_FALSE(this_task::stop_requested());
    this_task::throw_if_stopped();
}

TEST(Limits, OneThatDoesNotLosesItsWorkerAndNobodyElseLosesAnything) {
    ProcessPool pool({.workers = 1});
    const int pid = pool.submit(worker_pid).get();
    auto deaf = pool.with({.timeout = 30ms, .grace = 10ms}).submit(ignore, -1);
    auto behind = pool.submit(twice, 4);
    const auto error = caught<TaskTimeout>([&] { deaf.get(); });
    ASSERT_NE(error.death(), nullptr);
    EXPECT_EQ(error.death()->pid, pid);
    EXPECT_NE(std::strstr(error.what(), "did not end by itself: worker"), nullptr) << error.what();
    EXPECT_EQ(behind.get(), 8);
    EXPECT_NE(pool.submit(worker_pid).get(), pid);
}

TEST(Limits, OfThePoolHoldForAllThatHaveNoOthers) {
    ProcessPool pool({.workers = 1, .timeout = 30ms, .retries = 1, .grace = 10ms});
    EXPECT_THROW(pool.submit(ignore, -1).get(), TaskTimeout);
    const auto unhurried = pool.with({.timeout = nanoseconds::max()});
    EXPECT_EQ(unhurried.submit(nap, 100).get(), 100);
    shared_number = 0;
    EXPECT_EQ(unhurried.submit(die_until, 2).get(), 2);  // the pool's retries, still
    shared_number = 0;
    EXPECT_THROW(unhurried.with({.retries = 0}).submit(die_until, 2).get(), WorkerDied);
    EXPECT_THROW(unhurried.with({.timeout = 20ms}).submit(ignore, -1).get(), TaskTimeout);
    const ProcessPool moved = std::move(pool);
    EXPECT_THROW(moved.submit(ignore, -1).get(), TaskTimeout);
}

TEST(Limits, AreForEachItemOfAMap) {
    ProcessPool pool({.workers = 2});
    const auto view = pool.with({.timeout = 400ms, .grace = 10ms});
    std::vector<int> got;
    auto results = view.map(ignore, std::vector<int>{1, 2, -1, 4, 5});
    for (auto at = results.begin(); at != results.end(); ++at) {
        try {
            got.push_back(*at);
        } catch (const TaskTimeout&) {
            got.push_back(-100);
        }
    }
    EXPECT_EQ(got, (std::vector<int>{1, 2, -100, 4, 5}));
    EXPECT_THROW(view.for_each(heed, std::vector<int>{1, -1}), TaskTimeout);
    EXPECT_EQ(collect(view.map_unordered(twice, std::vector<int>{4})), std::vector<int>{8});
    EXPECT_EQ(view.transform_reduce(range(0, 100), 0, std::plus<>{}, twice), 9900);
}

TEST(Limits, TasksRunAgainIfTheirWorkersDie) {
    ProcessPool pool({.workers = 2});
    const auto view = pool.with({.retries = 2});
    shared_number = 0;
    EXPECT_EQ(view.submit(die_until, 3).get(), 3);
    shared_number = 0;
    EXPECT_THROW(view.submit(die_until, 4).get(), WorkerDied);
    EXPECT_EQ(shared_number, 3);
    EXPECT_THROW(view.submit(fail_at_7, 7).get(), RemoteError);
}

TEST(Limits, StopCancelsWhatWaitsAndEndsWhatRuns) {
    ProcessPool pool({.workers = 1});
    auto running = pool.submit(heed, -1);
    wait_until_running(running);
    auto waiting = pool.submit(twice, 1);
    EXPECT_TRUE(waiting.stop());
    EXPECT_EQ(waiting.state(), FutureState::cancelled);
    EXPECT_THROW(waiting.get(), Cancelled);
    EXPECT_TRUE(running.stop());
    EXPECT_EQ(caught<TaskStopped>([&] { running.get(); }).death(), nullptr);

    auto partial = pool.submit(count_while_allowed);
    wait_until_running(partial);
    EXPECT_TRUE(partial.stop());
    EXPECT_GE(partial.get(), 0);

    auto done = pool.submit(twice, 1);
    done.wait();
    EXPECT_FALSE(done.stop());
    EXPECT_EQ(done.get(), 2);
    EXPECT_THROW(done.stop(), InvalidFuture);
}

TEST(Limits, StopKillsTheWorkerOfWhatDoesNotHeed) {
    ProcessPool pool({.workers = 1});
    auto deaf = pool.with({.grace = 10ms}).submit(ignore, -1);
    wait_until_running(deaf);
    EXPECT_TRUE(deaf.stop());
    EXPECT_NE(caught<TaskStopped>([&] { deaf.get(); }).death(), nullptr);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Limits, StoppingAContinuationStopsItsTask) {
    ProcessPool pool({.workers = 1});
    auto next = pool.submit(heed, -1).then([](int x) { return x; });
    while (pool.stats().submitted == 0)
        std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(next.stop());
    const auto result = next.try_get();
    ASSERT_FALSE(result);
    const FailureKind kind = result.error().kind();  // it may have waited still
    EXPECT_TRUE(kind == FailureKind::task_stopped || kind == FailureKind::cancelled);
}

TEST(Limits, AsValues) {
    ProcessPool pool({.workers = 1});
    const auto view = pool.with({.timeout = 20ms, .grace = 10ms});
    const auto heeded = view.submit(heed, -1).try_get();
    EXPECT_EQ(heeded.error().kind(), FailureKind::task_timeout);
    EXPECT_EQ(heeded.error().death(), nullptr);
    const auto killed = view.try_submit(ignore, -1)->try_get();
    EXPECT_EQ(killed.error().kind(), FailureKind::task_timeout);
    EXPECT_NE(killed.error().death(), nullptr);
}

TEST(Limits, ThatCannotBeAreNamed) {
    for (const nanoseconds time : {0ns, nanoseconds(-1s)}) {
        const auto error = caught<InvalidOption>([&] { ProcessPool({.workers = 1, .timeout = time}); });
        EXPECT_NE(std::strstr(error.what(), "timeout"), nullptr) << error.what();
    }
    EXPECT_THROW(ProcessPool({.workers = 1, .grace = -1ms}), InvalidOption);
    ProcessPool pool({.workers = 1});
    EXPECT_THROW(pool.with({.timeout = 0ms}), InvalidOption);
    EXPECT_THROW(pool.with({.grace = -1ns}), InvalidOption);
    const ProcessPool other = std::move(pool);
    EXPECT_THROW(pool.with({.retries = 1}), InvalidPool);  // NOLINT: that is what is asked
}

TEST(Limits, AViewEndsWithItsPool) {
    auto pool = std::make_unique<ProcessPool>(Options{.workers = 1});
    const PoolView view = pool->with({.retries = 1});
    const PoolView copy = view;
    EXPECT_EQ(copy.submit(twice, 2).get(), 4);
    pool.reset();
    EXPECT_TRUE(child_pids(getpid()).empty());
    EXPECT_THROW(view.submit(twice, 2), ShutDown);
}

TEST(Limits, AWorkerWithTooMuchMemoryIsStopped) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's own memory is more";
#endif
    ProcessPool pool({.workers = 1, .max_memory_per_worker = 100'000'000});
    EXPECT_THROW(pool.submit([] {
                         const std::vector<char> much(300'000'000, 'x');
                         heed(-1);
                         return much.front();
                     })
                     .get(),
                 WorkerMemoryExceeded);
    EXPECT_EQ(pool.submit(twice, 2).get(), 4);
}

// Keeps it in its worker.
int keep(std::size_t bytes) {
    static std::vector<char> kept;
    kept.assign(bytes, 'x');
    return getpid();
}

TEST(Limits, AWorkerWithTooMuchMemoryAfterItsTaskIsReplaced) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    GTEST_SKIP() << "a sanitizer's own memory is more";
#endif
    ProcessPool pool({.workers = 1, .max_memory_per_worker = 100'000'000});
    const int pid = pool.submit(keep, std::size_t{1'000'000}).get();
    EXPECT_EQ(pool.submit(keep, std::size_t{130'000'000}).get(), pid);
    EXPECT_NE(pool.submit(worker_pid).get(), pid);
    EXPECT_TRUE(pool.stats().workers_died.empty());
}

TEST(Limits, ThePoolCountsWhatHasHappened) {
    ProcessPool pool({.workers = 1});
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    EXPECT_THROW(pool.submit(fail_at_7, 7).get(), RemoteError);
    shared_number = 0;
    EXPECT_EQ(pool.with({.retries = 1}).submit(die_until, 2).get(), 2);
    const PoolStats stats = pool.stats();
    EXPECT_EQ(stats.submitted, 3U);
    EXPECT_EQ(stats.done, 2U);
    EXPECT_EQ(stats.failed, 1U);
    EXPECT_EQ(stats.retried, 1U);
    EXPECT_EQ(stats.requeued, 0U);
    EXPECT_EQ(stats.workers_born, 2U);
}

}  // namespace
}  // namespace hardwork::test
