// The end of a pool in all its ways; hooks; workers that are replaced.
#include <signal.h>

#include <atomic>
#include <mutex>
#include <set>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

bool is_alive(int pid) { return kill(pid, 0) == 0; }

TEST(Shutdown, WaitsForAllTasks) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20; ++i)
        futures.push_back(pool.submit(nap, 10));
    pool.shutdown();
    for (auto& future : futures)
        EXPECT_EQ(future.get(), 10);
    EXPECT_TRUE(pool.pids().empty());
    pool.shutdown(ShutdownMode::wait | ShutdownMode::cancel);
    EXPECT_THROW(pool.submit(twice, 1), ShutDown);
    EXPECT_THROW(pool.map(twice, range(0, 3)), ShutDown);
}

TEST(Shutdown, CancelsWhatHasNotStarted) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 200);
    while (busy.state() == FutureState::waiting)
        std::this_thread::sleep_for(1ms);
    std::vector<Future<int>> queued;
    for (int i = 0; i < 5; ++i)
        queued.push_back(pool.submit(nap, 10'000));
    pool.shutdown(ShutdownMode::cancel | ShutdownMode::wait);
    EXPECT_EQ(busy.get(), 200);
    for (auto& future : queued)
        EXPECT_THROW(future.get(), Cancelled);
}

TEST(Shutdown, NeedNotWait) {
    ProcessPool pool({.workers = 1});
    auto busy = pool.submit(nap, 300);
    pool.shutdown(ShutdownMode::none);
    EXPECT_FALSE(busy.ready());
    EXPECT_EQ(busy.get(), 300);
}

TEST(Kill, EndsAllNowWhateverTheyDo) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 6; ++i)
        futures.push_back(pool.submit(nap, 1'000'000));
    auto mapped = pool.map(nap, std::vector<int>(4, 1'000'000));
    auto next = pool.submit(twice, 1).then([](int x) { return x; });
    while (futures.front().state() == FutureState::waiting || pool.pids().size() < 2)
        std::this_thread::sleep_for(1ms);
    const auto pids = pool.pids();
    pool.kill();
    for (auto& future : futures)
        EXPECT_THROW(future.get(), Cancelled);
    EXPECT_THROW(*mapped.begin(), Cancelled);
    EXPECT_THROW(next.get(), Cancelled);
    for (const int pid : pids)
        EXPECT_FALSE(is_alive(pid));
    EXPECT_THROW(pool.submit(twice, 1), ShutDown);
    pool.kill();
    pool.shutdown();
}

TEST(Kill, AlsoWorkersThatAreBeingBorn) {
    for (int i = 0; i < 10; ++i) {
        ProcessPool pool({.workers = 3});
        auto future = pool.submit(nap, 1'000'000);
        pool.kill();
        EXPECT_THROW(future.get(), Cancelled);
    }
}

// What the hooks were told.
struct News {
    std::mutex lock;
    std::set<int> started;
    std::vector<WorkerDeath> deaths;

    Options options(int workers) {
        Options made;
        made.workers = workers;
        made.on_worker_start = [this](int pid) {
            const std::lock_guard hold(lock);
            started.insert(pid);
        };
        made.on_worker_death = [this](const WorkerDeath& death) {
            const std::lock_guard hold(lock);
            deaths.push_back(death);
        };
        return made;
    }
};

TEST(Hooks, TellOfBirthsAndDeaths) {
    News news;
    {
        ProcessPool pool(news.options(1));
        const int first = pool.submit(worker_pid).get();
        EXPECT_THROW(pool.submit(die_by, SIGABRT).get(), WorkerDied);
        EXPECT_THROW(pool.submit(leave_with, 0).get(), WorkerDied);
        const int last = pool.submit(worker_pid).get();
        pool.shutdown();
        EXPECT_EQ(news.started.size(), 3U);
        EXPECT_TRUE(news.started.contains(first) && news.started.contains(last));
        ASSERT_EQ(news.deaths.size(), 2U);
        EXPECT_EQ(news.deaths[0].pid, first);
        EXPECT_EQ(news.deaths[0].status.kind, ExitStatus::Kind::signaled);
        EXPECT_EQ(news.deaths[0].status.value, SIGABRT);
        EXPECT_EQ(news.deaths[0].phase, Phase::run);
        EXPECT_EQ(news.deaths[1].status.kind, ExitStatus::Kind::exited);
    }
    EXPECT_EQ(news.deaths.size(), 2U);  // one that ends because it is told to has not died
}

TEST(Hooks, WorkersAtTheirLimitAreReplacedAndHaveNotDied) {
    News news;
    Options options = news.options(1);
    options.max_tasks_per_worker = 2;
    ProcessPool pool(std::move(options));
    std::set<int> pids;
    for (int i = 0; i < 6; ++i)
        pids.insert(pool.submit(worker_pid).get());
    EXPECT_EQ(pids.size(), 3U);
    pool.shutdown();
    EXPECT_TRUE(news.deaths.empty());
    EXPECT_GE(news.started.size(), 3U);
}

TEST(Hooks, MayUseThePoolAndThrow) {
    std::atomic<int> resubmitted = 0;
    ProcessPool* pool_in_hook = nullptr;
    Options options{.workers = 1};
    options.on_worker_start = [](int) { throw std::runtime_error("dropped"); };
    options.on_worker_death = [&](const WorkerDeath&) {
        resubmitted += pool_in_hook->submit(twice, 3).get();
        pool_in_hook->shutdown();  // does not wait: this is the thread that would end it
    };
    ProcessPool pool(std::move(options));
    pool_in_hook = &pool;
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    while (resubmitted == 0)
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(resubmitted, 6);
    pool.shutdown();
}

TEST(Initializer, RunsOnceInEachWorkerWithWhatItCaptured) {
    static int prepared = 0;
    const std::string word = "captured";
    ProcessPool pool({.workers = 1, .initializer = [word] { prepared += static_cast<int>(word.size()); }});
    EXPECT_EQ(pool.submit([] { return prepared; }).get(), 8);
    EXPECT_EQ(pool.submit([] { return prepared; }).get(), 8);
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_EQ(pool.submit([] { return prepared; }).get(), 8);
    EXPECT_EQ(prepared, 0);
}

TEST(MovedPool, SaysThatItIsNone) {
    ProcessPool first({.workers = 1});
    ProcessPool second = std::move(first);
    EXPECT_THROW(first.submit(twice, 1), InvalidPool);  // NOLINT: that is what is asked
    EXPECT_THROW(first.map(twice, range(0, 3)), InvalidPool);
    EXPECT_THROW(first.shutdown(), InvalidPool);
    EXPECT_THROW(first.kill(), InvalidPool);
    EXPECT_THROW(first.workers(), InvalidPool);
    EXPECT_EQ(first.try_submit(twice, 1).error().kind(), FailureKind::no_task);
    EXPECT_EQ(second.submit(twice, 1).get(), 2);
}

}  // namespace
}  // namespace hardwork::test
