// Tasks that are stopped: at their time limit, or because somebody asks; and tasks that are run again.
#include <atomic>

#include "engine_fixture.hpp"

namespace hardwork::test {

constexpr std::uint64_t kMs = 1'000'000;

TaskLimits limits(std::uint64_t timeout_ms, std::uint64_t grace_ms = 60'000, std::uint32_t retries = 0) {
    return {timeout_ms * kMs, grace_ms * kMs, retries};
}

class Limits : public EngineTest {
  protected:
    // Waits until a worker is in the task that was submitted last.
    void wait_until_running(Task* task) {
        for (int i = 0; i < 30'000 && !engine->is_running(task); ++i)
            usleep(1'000);
        ASSERT_TRUE(engine->is_running(task));
    }
    Ending ending(Task* task) {
        const Ending ending = wait(task).ending;
        engine->release(task);
        return ending;
    }
};

TEST_F(Limits, ATaskThatRunsTooLongIsToldToStop) {
    start(1);
    Task* task = submit(kHeeds, limits(50));
    EXPECT_EQ(number(wait(task)), 100 + static_cast<std::int64_t>(StopReason::timeout));
    engine->release(task);
    EXPECT_EQ(call(4), 8);
}

TEST_F(Limits, OneThatDoesNotHeedLosesItsWorkerAndNobodyElseLosesAnything) {
    start(1);
    const auto before = static_cast<std::int32_t>(call(kPid));
    Task* deaf = submit(kDeaf, limits(30, 20));
    std::vector<Task*> behind;
    for (int i = 0; i < 200; ++i)
        behind.push_back(submit(1'000 + i));
    const TaskResult result = wait(deaf);
    EXPECT_EQ(result.ending, Ending::timed_out);
    EXPECT_EQ(result.death.pid, before);
    EXPECT_EQ(result.death.phase, Phase::run);
    engine->release(deaf);
    for (int i = 0; i < 200; ++i) {
        EXPECT_EQ(number(wait(behind[static_cast<std::size_t>(i)])), 2 * (1'000 + i));
        engine->release(behind[static_cast<std::size_t>(i)]);
    }
    EXPECT_NE(call(kPid), before);
}

// After the grace it has timed out, also if it ends a moment later.
TEST_F(Limits, OneThatEndsWhenItIsTerminatedHasTimedOut) {
    start(1);
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(ending(submit(kUntilTerm, limits(20, 10))), Ending::timed_out);
    EXPECT_EQ(call(4), 8);
}

TEST_F(Limits, TimeCountsFromTheStartOfTheTask) {
    start(1);
    Task* before = submit(kSleep);  // 300 ms
    std::vector<Task*> tasks;
    for (int i = 0; i < 100; ++i)
        tasks.push_back(submit(i, limits(150, 0)));
    EXPECT_EQ(ending(before), Ending::value);
    for (Task* task : tasks)
        EXPECT_EQ(ending(task), Ending::value);
}

TEST_F(Limits, AFrozenWorkerIsReplaced) {
    start(1);
    Task* task = submit(kFreeze, limits(30, 20));
    EXPECT_EQ(ending(task), Ending::timed_out);
    EXPECT_EQ(call(4), 8);
}

TEST_F(Limits, OneThatIsFrozenBeforeItBeginsLosesNothing) {
    start(1);
    const auto pid = static_cast<std::int32_t>(call(kPid));
    usleep(50'000);  // it has gone to sleep
    ASSERT_EQ(kill(pid, SIGSTOP), 0);
    const std::uint32_t before = shared_counters()[4711].load();
    Task* task = submit(4711, limits(30, 20));
    EXPECT_EQ(number(wait(task)), 2 * 4711);
    engine->release(task);
    EXPECT_EQ(shared_counters()[4711].load(), before + 1);
    EXPECT_NE(call(kPid), pid);
}

// Not ready, and the only worker: its tasks have a time limit, so it does not keep them for ever.
TEST_F(Limits, OneThatIsFrozenAtItsBirthIsReplaced) {
    shared_counters();
    shared_counters()[kBirths] = 0;
    start(1, 0, kFrozenAtFirst);
    Task* task = submit(4711, limits(30, 20));
    Task* behind = submit(5);
    EXPECT_EQ(number(wait(task)), 2 * 4711);
    EXPECT_EQ(number(wait(behind)), 10);
    engine->release(task);
    engine->release(behind);
}

TEST_F(Limits, OneThatIsFrozenAsItLearnsAFunctionIsReplaced) {
    shared_counters();
    shared_counters()[kBirths] = 0;
    start(1, 0, kFrozenDefining);
    Task* behind = submit(5);
    Task* task = submit(4711, limits(30, 20));
    EXPECT_EQ(number(wait(task)), 2 * 4711);
    EXPECT_EQ(number(wait(behind)), 10);
    engine->release(task);
    engine->release(behind);
}

// One after the other is replaced, and then the pool gives up.
TEST_F(Limits, WorkersThatAreAllFrozenAtTheirBirthBreakThePool) {
    start(1, 0, kFrozenAlways);
    EXPECT_EQ(ending(submit(4711, limits(30, 20))), Ending::broken);
}

TEST_F(Limits, ItemsOfAMapHaveTheirOwnTime) {
    start(2);
    JobOptions options;
    options.limits = engine->limits(limits(30, 20));
    Error why;
    Job* job = engine->start_job(function, options, why);
    for (const std::int64_t x : {std::int64_t{10}, std::int64_t{kDeaf}, std::int64_t{20}, std::int64_t{kHeeds}}) {
        Input input = input_of(x);
        engine->add_span(job, input, x < 0 ? 1 : 5);
    }
    engine->seal(job);
    std::vector<std::int64_t> got;
    EXPECT_EQ(read(job,
                   [&](std::uint64_t item, const TaskResult& result) {
                       EXPECT_EQ(result.ending, item == 5 ? Ending::timed_out : Ending::value);
                       got.push_back(item == 5 ? -1 : number(result));
                   }),
              12U);
    EXPECT_EQ(got, (std::vector<std::int64_t>{20, 22, 24, 26, 28, -1, 40, 42, 44, 46, 48, 101}));
    engine->release_job(job);
    engine->release_limits(options.limits);
}

TEST_F(Limits, WhatIsDoneInTimeRunsOnce) {
    start(2);
    const std::int64_t first = 10'000;
    for (int i = 0; i < 2'000; ++i)
        shared_counters()[first + i].store(0);
    std::vector<Task*> tasks;
    for (int i = 0; i < 2'000; ++i) {
        tasks.push_back(submit(first + i, limits(40, 10)));
        if (i % 400 == 7) tasks.push_back(submit(kDeaf, limits(40, 10)));
    }
    int stopped = 0;
    for (Task* task : tasks)
        stopped += ending(task) == Ending::timed_out ? 1 : 0;
    EXPECT_EQ(stopped, 5);
    for (int i = 0; i < 2'000; ++i)
        EXPECT_EQ(shared_counters()[first + i].load(), 1U) << i;
}

TEST_F(Limits, StopCancelsWhatHasNotStarted) {
    start(1);
    Task* running = submit(kHeeds);
    wait_until_running(running);
    Task* waiting = submit(5);
    EXPECT_TRUE(engine->stop(waiting));
    EXPECT_EQ(ending(waiting), Ending::cancelled);
    EXPECT_TRUE(engine->stop(running));
    EXPECT_EQ(number(wait(running)), 100 + static_cast<std::int64_t>(StopReason::request));
    EXPECT_FALSE(engine->stop(running));
    engine->release(running);
    EXPECT_EQ(call(4), 8);
}

// Its worker has claimed it, and dies before it begins with it: nobody runs it then.
TEST_F(Limits, StopOfWhatIsAboutToBeginIsNotForgottenWithItsWorker) {
    shared_counters()[kBirths] = 0;
    start(1, 0, kFrozenClaiming);
    Task* task = submit(kHeeds, limits(0, 60'000));
    wait_until_running(task);
    // It claims first and stops itself then: killed between the two, it would leave that to the next worker.
    for (int i = 0; i < 30'000 && shared_counters()[kBirths] == 0; ++i)
        usleep(1'000);
    ASSERT_EQ(shared_counters()[kBirths], 1U);
    EXPECT_TRUE(engine->stop(task));
    engine->signal_workers(SIGKILL);
    EXPECT_EQ(ending(task), Ending::cancelled);
    EXPECT_EQ(call(4), 8);
}

TEST_F(Limits, StopEndsTheWorkerOfWhatDoesNotHeed) {
    start(1);
    Task* task = submit(kDeaf, limits(0, 30));
    wait_until_running(task);
    Task* behind = submit(7);
    EXPECT_TRUE(engine->stop(task));
    EXPECT_TRUE(engine->stop(task));
    EXPECT_EQ(ending(task), Ending::stopped);
    EXPECT_EQ(number(wait(behind)), 14);
    engine->release(behind);
}

// One item runs until it is stopped, and the other worker has done the rest, or has hardly begun.
TEST_F(Limits, StopOfAMapEndsItsItems) {
    start(2);
    for (int i = 0; i < 500; ++i)
        shared_counters()[20'000 + i].store(0);
    std::uint64_t done = 0;
    for (const bool at_once : {false, true}) {
        for (const std::int64_t first : {std::int64_t{kHeeds}, std::int64_t{kDeaf}}) {
            JobOptions options;
            options.limits = engine->limits(limits(0, 30));
            Error why;
            Job* job = engine->start_job(function, options, why);
            Input running = input_of(first);
            engine->add_span(job, running, 1);
            Input others = input_of(20'000);
            engine->add_span(job, others, 500);
            engine->seal(job);
            for (int i = 0; i < 30'000 && !at_once && engine->stats().done < done + 500; ++i)
                usleep(1'000);
            EXPECT_TRUE(engine->stop(job));
            for (int i = 0; i < 30'000 && engine->outstanding() != 0; ++i)
                usleep(1'000);
            EXPECT_EQ(engine->outstanding(), 0U);
            EXPECT_FALSE(engine->stop(job));
            engine->release_job(job);
            engine->release_limits(options.limits);
            done = engine->stats().done;
        }
    }
    for (int i = 0; i < 500; ++i) {
        EXPECT_GE(shared_counters()[20'000 + i].load(), 2U) << i;
        EXPECT_LE(shared_counters()[20'000 + i].load(), 4U) << i;
    }
    EXPECT_EQ(call(4), 8);
}

TEST_F(Limits, ATaskThatDiedWithItsWorkerRunsAgainIfThatWasAllowed) {
    start(2);
    shared_counters()[kTries].store(0);
    Task* task = submit(kDieTwice, limits(0, 500, 2));
    EXPECT_EQ(number(wait(task)), 3);
    engine->release(task);
    shared_counters()[kTries].store(0);
    task = submit(kDieTwice, limits(0, 500, 1));
    EXPECT_EQ(ending(task), Ending::worker_died);
    EXPECT_EQ(shared_counters()[kTries].load(), 2U);
    shared_counters()[kTries].store(0);
    EXPECT_EQ(ending(submit(kDieTwice)), Ending::worker_died);
    EXPECT_EQ(shared_counters()[kTries].load(), 1U);
    task = submit(kThrow, limits(0, 500, 5));
    EXPECT_EQ(ending(task), Ending::exception);
    task = submit(kDeaf, limits(20, 10, 5));
    EXPECT_EQ(ending(task), Ending::timed_out);
}

TEST_F(Limits, AnItemThatDiedWithItsWorkerRunsAgain) {
    start(2);
    for (const std::uint32_t retries : {2U, 1U}) {
        shared_counters()[kTries].store(0);
        JobOptions options;
        options.limits = engine->limits(limits(0, 500, retries));
        Error why;
        Job* job = engine->start_job(function, options, why);
        for (const std::int64_t x : {std::int64_t{10}, std::int64_t{kDieTwice}, std::int64_t{20}}) {
            Input input = input_of(x);
            engine->add_span(job, input, x < 0 ? 1 : 3);
        }
        engine->seal(job);
        EXPECT_EQ(read(job,
                       [&](std::uint64_t item, const TaskResult& result) {
                           const bool lost = item == 3 && retries == 1;
                           EXPECT_EQ(result.ending, lost ? Ending::worker_died : Ending::value) << item;
                       }),
                  7U);
        EXPECT_EQ(shared_counters()[kTries].load(), retries + 1);
        engine->release_job(job);
        engine->release_limits(options.limits);
    }
}

TEST_F(Limits, HaveNumbersThatAreUsedAgain) {
    start(1);
    EXPECT_EQ(engine->limits(TaskLimits{}), 0U);
    const std::uint32_t one = engine->limits(limits(1'000));
    const std::uint32_t two = engine->limits(limits(2'000));
    EXPECT_NE(one, 0U);
    EXPECT_NE(one, two);
    EXPECT_EQ(engine->limits(limits(1'000)), one);
    engine->release_limits(one);
    EXPECT_EQ(engine->limits(limits(3'000)), two + 1);
    engine->release_limits(one);
    EXPECT_EQ(engine->limits(limits(4'000)), one);
    // A task keeps its own.
    Task* task = submit(kHeeds, limits(50));
    const std::uint32_t other = engine->limits(limits(5'000));
    EXPECT_EQ(number(wait(task)), 101);
    engine->release(task);
    for (const std::uint32_t number : {one, two, two + 1, other})
        engine->release_limits(number);
}

TEST_F(Limits, OfLongTasksDoNotKeepAPoolFromEnding) {
    start(1);
    Task* task = submit(kDeaf, limits(30, 20));
    engine->begin_shutdown(Shutdown::finish);
    EXPECT_EQ(ending(task), Ending::timed_out);
}

}  // namespace hardwork::test
