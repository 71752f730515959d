// A worker's death costs the task it was running and nothing else.
#include "engine_fixture.hpp"

namespace hardwork::test {

using Deaths = EngineTest;

TEST_F(Deaths, OneKillerAmongAThousandCostsOneTask) {
    start(2);
    for (std::int64_t x = 0; x < 1000; ++x)
        shared_counters()[x] = 0;
    std::vector<Task*> tasks;
    for (std::int64_t x = 0; x < 1000; ++x)
        tasks.push_back(submit(x == 500 ? kKill : x));
    for (std::int64_t x = 0; x < 1000; ++x) {
        Task* task = tasks[static_cast<std::size_t>(x)];
        const TaskResult result = wait(task);
        if (x == 500) {
            EXPECT_EQ(result.ending, Ending::worker_died);
            EXPECT_EQ(result.death.status.kind, ExitStatus::Kind::signaled);
            EXPECT_EQ(result.death.status.value, SIGKILL);
            EXPECT_EQ(result.death.phase, Phase::run);
            EXPECT_GT(result.death.pid, 0);
        } else {
            ASSERT_EQ(number(result), 2 * x);
            ASSERT_EQ(shared_counters()[x], 1U);
        }
        engine->release(task);
    }
    EXPECT_EQ(call(7), 14);
}

TEST_F(Deaths, EachPhaseIsNamed) {
    start(1);
    const std::pair<std::int64_t, Phase> cases[] = {
        {kDieDecoding, Phase::decode}, {kKill, Phase::run}, {kDieEncoding, Phase::encode}};
    for (const auto& [what, phase] : cases) {
        Task* task = submit(what);
        const TaskResult result = wait(task);
        EXPECT_EQ(result.ending, Ending::worker_died);
        EXPECT_EQ(result.death.phase, phase);
        engine->release(task);
    }
    Task* task = submit(kExit3);
    const TaskResult result = wait(task);
    EXPECT_EQ(result.death.status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(result.death.status.value, 3);
    engine->release(task);
}

TEST_F(Deaths, OfTheMainThreadAlone) {
    // Its process does not end by itself: the thread that watches the parent lives.
    start(1);
    Task* task = submit(kExitThread);
    const TaskResult result = wait(task);
    EXPECT_EQ(result.ending, Ending::worker_died);
    EXPECT_EQ(result.death.status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(result.death.status.value, 3);
    EXPECT_EQ(result.death.phase, Phase::run);
    engine->release(task);
    EXPECT_EQ(call(7), 14);
    while (kill(result.death.pid, 0) == 0)
        usleep(1'000);
}

TEST_F(Deaths, ARecordThatCannotBeEndsThatWorkerOnly) {
    start(2);
    for (std::int64_t x = 0; x < 500; ++x)
        shared_counters()[x] = 0;
    Task* forged = submit(kForge);
    std::vector<Task*> tasks;
    for (std::int64_t x = 0; x < 500; ++x)
        tasks.push_back(submit(x));
    const TaskResult result = wait(forged);
    EXPECT_EQ(result.ending, Ending::worker_died);
    EXPECT_TRUE(result.death.refused_record);
    engine->release(forged);
    for (std::int64_t x = 0; x < 500; ++x) {
        // What that worker ran after the bad record cannot be read, and is not run again; all else is fine.
        const TaskResult one = wait(tasks[static_cast<std::size_t>(x)]);
        if (one.ending == Ending::worker_died) {
            EXPECT_TRUE(one.death.refused_record);
        } else {
            EXPECT_EQ(number(one), 2 * x);
        }
        EXPECT_LE(shared_counters()[x], 1U);
        engine->release(tasks[static_cast<std::size_t>(x)]);
    }
    EXPECT_EQ(call(3), 6);
}

TEST_F(Deaths, EveryTaskKillsItsWorkerAndThePoolLives) {
    start(2);
    std::vector<Task*> tasks;
    for (int i = 0; i < 60; ++i)
        tasks.push_back(submit(kKill));
    for (Task* task : tasks) {
        EXPECT_EQ(wait(task).ending, Ending::worker_died);
        engine->release(task);
    }
    EXPECT_EQ(call(3), 6);
}

TEST_F(Deaths, IdleWorkersThatDieAreReplaced) {
    start(2);
    EXPECT_EQ(call(1), 2);
    engine->signal_workers(SIGKILL);
    for (std::int64_t x = 0; x < 100; ++x)
        EXPECT_EQ(call(x), 2 * x);
}

TEST_F(Deaths, AStormOfKillsLosesOnlyWhatRan) {
    start(2);
    constexpr std::int64_t count = 20'000;
    for (std::int64_t x = 0; x < count; ++x)
        shared_counters()[x] = 0;
    std::vector<Task*> tasks;
    int died = 0;
    for (std::int64_t x = 0; x < count; ++x) {
        tasks.push_back(submit(x));
        if (x % 1000 == 0) engine->signal_workers(SIGKILL);
    }
    for (std::int64_t x = 0; x < count; ++x) {
        Task* task = tasks[static_cast<std::size_t>(x)];
        const TaskResult result = wait(task);
        if (result.ending == Ending::worker_died) {
            ++died;
            ASSERT_LE(shared_counters()[x], 1U);
        } else {
            ASSERT_EQ(number(result), 2 * x);
            ASSERT_EQ(shared_counters()[x], 1U);
        }
        engine->release(task);
    }
    EXPECT_LE(died, 40);  // at most the two workers of each of the twenty volleys
    EXPECT_EQ(call(3), 6);
}

TEST_F(Deaths, AFailedInitializerBreaksThePoolWithItsCause) {
    start(2, 0, 1);
    Task* task = submit(1);
    if (task != nullptr) {
        EXPECT_EQ(wait(task).ending, Ending::broken);
        engine->release(task);
    }
    const auto cause = engine->broken_cause();
    ASSERT_EQ(cause.size(), 4U);
    EXPECT_EQ(std::memcmp(cause.data(), "nope", 4), 0);
    Input input = input_of(1);
    Error why;
    EXPECT_EQ(engine->submit(function, input, why), nullptr);
    EXPECT_EQ(why.code, Errc::broken);
}

TEST_F(Deaths, WorkersThatCannotStartBreakThePoolInsteadOfLooping) {
    start(2, 0, 2);
    Task* task = submit(1);
    if (task != nullptr) {
        EXPECT_EQ(wait(task).ending, Ending::broken);
        engine->release(task);
    }
}

TEST_F(Deaths, AWorkerThatClaimsToBeDoneWithATaskIsRefused) {
    start(1);
    call(1);
    Task* task = submit(kForgeHead);
    const TaskResult result = wait(task);
    EXPECT_EQ(result.ending, Ending::worker_died);
    engine->release(task);
    EXPECT_EQ(call(4), 8);
}

}  // namespace hardwork::test
