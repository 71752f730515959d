// What a pool counts, and what limits the memory of its workers.
#include <chrono>
#include <numeric>
#include <thread>

#include "engine_fixture.hpp"
#include "os/life.hpp"
#include "os/memory_use.hpp"

namespace hardwork::test {

class Stats : public EngineTest {
  protected:
    std::uint64_t deaths(DeathCause cause, int value = 0) {
        std::uint64_t count = 0;
        for (const Deaths& each : engine->stats().workers_died) {
            if (each.cause == cause && each.value == value) count += each.count;
        }
        return count;
    }
    void expect_balance() {
        const PoolStats stats = engine->stats();
        EXPECT_EQ(stats.submitted, stats.done + stats.failed + stats.cancelled + engine->outstanding());
        EXPECT_EQ(stats.workers_born, stats.workers_alive + ended(stats));
    }
    static std::uint64_t ended(const PoolStats& stats) {
        return std::accumulate(stats.workers_died.begin(), stats.workers_died.end(), stats.workers_retired,
                               [](std::uint64_t sum, const Deaths& each) { return sum + each.count; });
    }
    void expect_ending(Task* task, Ending ending) {
        EXPECT_EQ(wait(task).ending, ending);
        engine->release(task);
    }
};

TEST_F(Stats, TasksAndItemsAreCountedByTheirEnd) {
    start(2);
    EXPECT_EQ(engine->stats().submitted, 0U);
    EXPECT_EQ(call(4), 8);
    expect_ending(submit(kThrow), Ending::exception);
    Job* job = map(100, 50);
    EXPECT_EQ(read(job, [](std::uint64_t, const TaskResult&) {}), 50U);
    engine->release_job(job);
    const PoolStats stats = engine->stats();
    EXPECT_EQ(stats.submitted, 52U);
    EXPECT_EQ(stats.done, 51U);
    EXPECT_EQ(stats.failed, 1U);
    EXPECT_EQ(stats.cancelled, 0U);
    EXPECT_GE(stats.bytes_sent, 3 * 8U);
    EXPECT_GE(stats.bytes_received, 51 * 8U);
    expect_balance();
}

TEST_F(Stats, WhatIsNotOverIsSubmitted) {
    start(1);
    Task* slow = submit(kSleep);
    Task* behind = submit(1);
    PoolStats stats = engine->stats();
    EXPECT_EQ(stats.submitted, 2U);
    EXPECT_EQ(stats.done, 0U);
    EXPECT_TRUE(engine->cancel(behind));
    stats = engine->stats();
    EXPECT_EQ(stats.submitted, 2U);
    EXPECT_EQ(stats.cancelled, 1U);
    engine->release(behind);
    expect_ending(slow, Ending::value);
    Job* job = map(100, 1'000);
    engine->cancel_rest(job);
    engine->release_job(job);
    while (engine->outstanding() != 0)
        usleep(1'000);
    EXPECT_EQ(engine->stats().submitted, 1'002U);
    expect_balance();
}

TEST_F(Stats, DeathsAreCountedByTheirCause) {
    start(1);
    expect_ending(submit(kKill), Ending::worker_died);
    expect_ending(submit(kExit3), Ending::worker_died);
    expect_ending(submit(kExit3), Ending::worker_died);
    expect_ending(submit(kForge), Ending::worker_died);
    expect_ending(submit(kDeaf, TaskLimits{20'000'000, 0, 0}), Ending::timed_out);
    EXPECT_EQ(call(4), 8);
    EXPECT_EQ(deaths(DeathCause::signaled, SIGKILL), 1U);
    EXPECT_EQ(deaths(DeathCause::exited, 3), 2U);
    EXPECT_EQ(deaths(DeathCause::bad_record), 1U);
    EXPECT_EQ(deaths(DeathCause::time_limit), 1U);
    // The last worker's result can be here before the word that it is born.
    for (int look = 0; engine->stats().workers_alive == 0 && look < 5'000; ++look)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const PoolStats stats = engine->stats();
    EXPECT_EQ(stats.failed, 5U);
    EXPECT_EQ(stats.done, 1U);
    EXPECT_EQ(stats.workers_born, 6U);
    EXPECT_EQ(stats.workers_alive, 1U);
    EXPECT_EQ(stats.workers_restarted, 5U);
    EXPECT_EQ(stats.workers_retired, 0U);
    expect_balance();
}

TEST_F(Stats, WhatADeadWorkerHadNotStartedIsRequeued) {
    start(1);
    call(1);
    Task* doomed = submit(kSleep);  // so that the rest is there before it dies
    Task* killer = submit(kKill);
    std::vector<Task*> rest;
    for (int i = 0; i < 20; ++i)
        rest.push_back(submit(i));
    expect_ending(doomed, Ending::value);
    expect_ending(killer, Ending::worker_died);
    for (Task* task : rest)
        expect_ending(task, Ending::value);
    const PoolStats stats = engine->stats();
    EXPECT_LE(stats.requeued, 20U);
    EXPECT_EQ(stats.done, 22U);
    EXPECT_EQ(stats.failed, 1U);
    expect_balance();
}

// One worker, and all of it is in its lane: it is known to the last one what comes back.
TEST_F(Stats, WhatIsRequeuedIsCountedExactly) {
    start(1);
    for (int i = 0; i < 2'000; ++i)  // short ones, so that a lane is given many
        call(1);
    const auto pid = static_cast<std::int32_t>(call(kPid));
    usleep(20'000);
    ASSERT_EQ(kill(pid, SIGSTOP), 0);
    while (!os::is_stopped(pid))
        usleep(1'000);
    std::vector<Task*> tasks;
    for (int i = 0; i < 20; ++i)
        tasks.push_back(submit(i));
    EXPECT_EQ(engine->stats().requeued, 0U);
    ASSERT_EQ(kill(pid, SIGKILL), 0);
    for (Task* task : tasks)
        expect_ending(task, Ending::value);
    const PoolStats stats = engine->stats();
    EXPECT_EQ(stats.requeued, 20U);
    EXPECT_EQ(stats.retried, 0U);
    EXPECT_EQ(stats.failed, 0U);
    EXPECT_EQ(stats.done, 2'021U);
    expect_balance();
}

TEST_F(Stats, RetriesAreCounted) {
    start(1);
    shared_counters()[kTries].store(0);
    Task* task = submit(kDieTwice, TaskLimits{0, 500'000'000, 2});
    EXPECT_EQ(number(wait(task)), 3);
    engine->release(task);
    const PoolStats stats = engine->stats();
    EXPECT_EQ(stats.retried, 2U);
    EXPECT_EQ(stats.requeued, 0U);
    EXPECT_EQ(stats.submitted, 1U);
    EXPECT_EQ(stats.done, 1U);
    EXPECT_EQ(stats.failed, 0U);
    expect_balance();
}

TEST_F(Stats, RetiredWorkersHaveNotDied) {
    start(1, 3);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(call(i), 2 * i);
    const PoolStats stats = engine->stats();
    EXPECT_GE(stats.workers_retired, 2U);
    EXPECT_TRUE(stats.workers_died.empty());
    EXPECT_GE(stats.workers_restarted, 2U);
}

// Its lane was full of them: that they go to the next is no news, since no worker was lost.
TEST_F(Stats, WhatARetiredWorkerHadNotStartedIsNotCounted) {
    start(1, 50);
    std::vector<Task*> tasks;
    for (int i = 0; i < 500; ++i)
        tasks.push_back(submit(i));
    for (Task* task : tasks)
        expect_ending(task, Ending::value);
    const PoolStats stats = engine->stats();
    EXPECT_GE(stats.workers_retired, 9U);
    EXPECT_EQ(stats.requeued, 0U);
    expect_balance();
}

TEST_F(Stats, TheyStayAfterTheEnd) {
    start(2);
    EXPECT_EQ(call(4), 8);
    engine->begin_shutdown(Shutdown::finish);
    ASSERT_EQ(engine->wait_stopped(~std::uint64_t{0}), WaitEnd::done);
    const PoolStats stats = engine->stats();
    EXPECT_EQ(stats.done, 1U);
    EXPECT_EQ(stats.workers_alive, 0U);
    EXPECT_EQ(stats.workers_retired, 2U);
    EXPECT_TRUE(stats.workers_died.empty());
}

class Memory : public Stats {
  protected:
    void start_limited(std::uint64_t bytes) {
        EngineOptions options;
        options.workers = 1;
        options.max_memory_per_worker = bytes;
        start_with(options);
    }
    // A sanitizer's shadow, and what the test's process has anyway.
    static std::uint64_t base() { return os::resident_bytes(getpid()); }
};

// Each does one task at least, or none would ever be done.
TEST_F(Memory, WorkersThatHaveTooMuchFromTheirBirthOnWork) {
    start_limited(1);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(call(i), 2 * i);
}

TEST_F(Memory, AWorkerThatHasTooMuchIsReplacedAfterItsTask) {
    start_limited(base() + 100'000'000);
    const std::int64_t first = call(kPid);
    EXPECT_EQ(call(kPid), first);
    EXPECT_EQ(call(kHold), 150'000'000);  // stays under twice the limit
    EXPECT_NE(call(kPid), first);
    EXPECT_EQ(engine->stats().workers_retired, 1U);
    EXPECT_TRUE(engine->stats().workers_died.empty());
}

TEST_F(Memory, TheRestOfAMapGoesToTheNext) {
    start_limited(base() + 100'000'000);
    EXPECT_EQ(call(kHold), 150'000'000);
    Job* job = map(1'000, 500);
    EXPECT_EQ(read(job,
                   [&](std::uint64_t item, const TaskResult& result) {
                       EXPECT_EQ(number(result), 2 * (1'000 + static_cast<std::int64_t>(item)));
                   }),
              500U);
    engine->release_job(job);
}

TEST_F(Memory, ATaskWithTwiceAsMuchLosesItsWorker) {
    start_limited(base() / 2 + 50'000'000);
    Task* task = submit(kGrow);  // for ever, and deaf
    const TaskResult result = wait(task);
    EXPECT_EQ(result.ending, Ending::memory_exceeded);
    EXPECT_EQ(result.death.phase, Phase::run);
    engine->release(task);
    EXPECT_EQ(call(4), 8);
    EXPECT_EQ(deaths(DeathCause::memory_limit), 1U);
}

// However long its time limit is.
TEST_F(Memory, ItIsLookedAtAlsoWhileALongTimeLimitIsDueMuchLater) {
    start_limited(base() / 2 + 50'000'000);
    Task* task = submit(kHoldLong, TaskLimits{3'600'000'000'000, 0, 0});
    EXPECT_EQ(wait(task).ending, Ending::memory_exceeded);
    engine->release(task);
}

}  // namespace hardwork::test
