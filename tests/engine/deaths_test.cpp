// A worker's death costs the task it was running and nothing else.
#include <future>

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

TEST_F(Deaths, AreFoundByWhoWaits) {
    // The collector is in somebody's callback, and no process ends by itself.
    start(1);
    std::promise<void> called;
    std::promise<void> over;
    notices->before = [&] {
        called.set_value();
        over.get_future().wait();
    };
    Task* slow = submit(kSleep);
    ASSERT_TRUE(engine->subscribe(slow, this));
    called.get_future().wait();
    Task* task = submit(kExitThread);
    const TaskResult result = wait(task);
    over.set_value();
    EXPECT_EQ(result.ending, Ending::worker_died);
    EXPECT_EQ(result.death.status.value, 3);
    engine->release(task);
    engine->release(slow);
    EXPECT_EQ(call(7), 14);
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

// A map of which one item does something bad: each item ends, and none is executed twice.
class BadItem : public EngineTest {
  protected:
    static constexpr std::int64_t kFirst = 100'000;
    static constexpr std::uint32_t kItems = 3'000;
    static constexpr std::int64_t kBad = kFirst + 300;

    void SetUp() override {
        for (std::int64_t x = kFirst; x < kFirst + kItems; ++x)
            shared_counters()[x] = 0;
    }
    void TearDown() override {
        shared_counters()[kForgeAt] = 0;
        shared_counters()[kRewindAt] = 0;
        EngineTest::TearDown();
    }
    // How many items are lost.
    std::uint32_t map_all() {
        std::uint32_t lost = 0;
        Job* job = map(kFirst, kItems);
        const std::uint64_t items = read(job, [&](std::uint64_t item, const TaskResult& each) {
            const std::int64_t x = kFirst + static_cast<std::int64_t>(item);
            if (each.ending == Ending::worker_died) {
                ++lost;
                EXPECT_TRUE(each.death.refused_record) << item;
                EXPECT_LE(shared_counters()[x], 1U) << item;
            } else {
                EXPECT_EQ(number(each), 2 * x);
                EXPECT_EQ(shared_counters()[x], 1U) << item;
            }
        });
        EXPECT_EQ(items, kItems);
        engine->release_job(job);
        return lost;
    }
};

TEST_F(BadItem, WhatARefusedWorkerHasRunIsNotRunAgain) {
    start(1);
    EXPECT_EQ(call(1), 2);
    shared_counters()[kForgeAt] = kBad;
    EXPECT_GE(map_all(), 1U);
    EXPECT_EQ(engine->stats().workers_died.front().cause, DeathCause::bad_record);
    shared_counters()[kForgeAt] = 0;
    EXPECT_EQ(call(3), 6);
}

TEST_F(BadItem, ACursorThatWasSetBackIsNotBelieved) {
    start(1);
    EXPECT_EQ(call(1), 2);
    shared_counters()[kRewindAt] = kBad;
    EXPECT_GE(map_all(), 1U);
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
    const BrokenCause& cause = engine->broken_cause();
    ASSERT_EQ(cause.kind, BrokenCause::Kind::exception);
    ASSERT_EQ(cause.exception.size(), 4U);
    EXPECT_EQ(std::memcmp(cause.exception.data(), "nope", 4), 0);
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
    const BrokenCause& cause = engine->broken_cause();
    ASSERT_EQ(cause.kind, BrokenCause::Kind::death);
    EXPECT_GT(cause.death.pid, 0);
    EXPECT_EQ(cause.death.status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(cause.death.status.value, 9);
    EXPECT_EQ(cause.death.phase, Phase::init);
}

// Whatever kills them, nobody's work is held up: there are fewer and fewer births, and the pool is not broken.
TEST_F(Deaths, WorkersThatDieWithoutWorkAreBornLessAndLessOften) {
    start(2, 0, kDiesIdle);
    usleep(1'500'000);
    const PoolStats stats = engine->stats();
    EXPECT_GE(stats.workers_born, 4U);
    EXPECT_LE(stats.workers_born, 40U);
    EXPECT_EQ(engine->closed(), Errc::ok);
}

TEST_F(Deaths, WorkersThatDieBeforeTheyBeginWithAnythingBreakThePool) {
    start(2, 0, kDiesClaiming);
    Task* task = submit(1);
    EXPECT_EQ(wait(task).ending, Ending::broken);
    engine->release(task);
    EXPECT_EQ(engine->closed(), Errc::broken);
    EXPECT_EQ(engine->broken_cause().death.status.value, SIGSEGV);
    EXPECT_EQ(engine->broken_cause().death.phase, Phase::claim);
}

// It is to blame, and not the pool: its tasks end, and others go on.
TEST_F(Deaths, AFunctionThatKillsWhoLearnsItCostsItsTasksOnly) {
    start(2, 0, kDiesDefining);
    EXPECT_EQ(call(1), 2);
    const std::byte code{1};
    const std::uint32_t deadly = engine->define({&code, 1});
    ASSERT_EQ(deadly, 2U);
    std::vector<Task*> tasks;
    for (int i = 0; i < 20; ++i) {
        Input input = input_of(200'000);
        Error why;
        tasks.push_back(engine->submit(i % 2 == 0 ? deadly : function, input, why));
    }
    for (int i = 0; i < 20; ++i) {
        const TaskResult result = wait(tasks[static_cast<std::size_t>(i)]);
        if (i % 2 == 0) {
            EXPECT_EQ(result.ending, Ending::worker_died);
            EXPECT_EQ(result.death.phase, Phase::init);
        } else {
            EXPECT_EQ(number(result), 400'000);
        }
        engine->release(tasks[static_cast<std::size_t>(i)]);
    }
    Error why;
    Job* job = engine->start_job(deadly, {}, why);
    Input input = input_of(200'000);
    engine->add_span(job, input, 100);
    engine->seal(job);
    EXPECT_EQ(read(job, [](std::uint64_t, const TaskResult& each) { EXPECT_EQ(each.ending, Ending::worker_died); }),
              100U);
    engine->release_job(job);
    EXPECT_EQ(call(3), 6);
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
