// Single tasks: values, bursts, cancel, subscribe, large results, worker limits.
#include <thread>

#include "engine_fixture.hpp"

namespace hardwork::test {

using Tasks = EngineTest;

TEST_F(Tasks, AnswersOneByOne) {
    start(2);
    for (std::int64_t x = 0; x < 2000; ++x)
        ASSERT_EQ(call(x), 2 * x);
}

TEST_F(Tasks, ABurstLargerThanAllRingsRunsEachTaskOnce) {
    start(2);
    constexpr std::int64_t count = 50'000;
    for (std::int64_t x = 0; x < count; ++x)
        shared_counters()[x] = 0;
    std::vector<Task*> tasks;
    for (std::int64_t x = 0; x < count; ++x)
        tasks.push_back(submit(x));
    for (std::int64_t x = 0; x < count; ++x) {
        ASSERT_EQ(number(wait(tasks[static_cast<std::size_t>(x)])), 2 * x);
        engine->release(tasks[static_cast<std::size_t>(x)]);
    }
    for (std::int64_t x = 0; x < count; ++x)
        ASSERT_EQ(shared_counters()[x], 1U) << x;
}

TEST_F(Tasks, AHandleMayBeReleasedBeforeTheEnd) {
    start(2);
    for (std::int64_t x = 0; x < 3000; ++x)
        engine->release(submit(x));
    EXPECT_EQ(call(5), 10);
}

TEST_F(Tasks, AnExceptionIsAnEndingWithItsBytes) {
    start(1);
    Task* task = submit(kThrow);
    const TaskResult result = wait(task);
    EXPECT_EQ(result.ending, Ending::exception);
    ASSERT_EQ(result.bytes.size(), 4U);
    EXPECT_EQ(std::memcmp(result.bytes.data(), "oops", 4), 0);
    engine->release(task);
}

TEST_F(Tasks, LargeResultsComeThroughTheArenaAgainAndAgain) {
    start(2);
    for (int round = 0; round < 30; ++round) {
        Task* task = submit(kLarge);
        const TaskResult result = wait(task);
        ASSERT_EQ(result.bytes.size(), kLargeSize);
        EXPECT_EQ(result.bytes.front(), std::byte{7});
        EXPECT_EQ(result.bytes.back(), std::byte{7});
        engine->release(task);
    }
}

TEST_F(Tasks, WhatWasCancelledNeverRuns) {
    start(1);
    Task* busy = submit(kSleep);
    shared_counters()[4711] = 0;
    std::vector<Task*> tasks;
    for (int i = 0; i < 100; ++i)
        tasks.push_back(submit(4711));
    for (Task* task : tasks) {
        EXPECT_TRUE(engine->cancel(task));
        EXPECT_FALSE(engine->cancel(task));
        EXPECT_EQ(engine->result(task).ending, Ending::cancelled);
        engine->release(task);
    }
    wait(busy);
    engine->release(busy);
    EXPECT_EQ(call(1), 2);
    EXPECT_EQ(shared_counters()[4711], 0U);
}

TEST_F(Tasks, ARunningTaskCannotBeCancelled) {
    start(1);
    Task* busy = submit(kSleep);
    while (!engine->is_running(busy))
        usleep(1000);
    EXPECT_FALSE(engine->cancel(busy));
    EXPECT_EQ(number(wait(busy)), 2 * kSleep);
    engine->release(busy);
}

TEST_F(Tasks, SubscribersAreToldOnceWithoutAnybodyWaiting) {
    start(2);
    std::vector<Task*> tasks;
    std::size_t subscribed = 0;
    for (std::int64_t x = 0; x < 500; ++x) {
        tasks.push_back(submit(x));
        subscribed += engine->subscribe(tasks.back(), tasks.back()) ? 1U : 0U;
    }
    for (int i = 0; i < 3000; ++i) {
        {
            const std::lock_guard hold(notices->lock);
            if (notices->seen.size() == subscribed) break;
        }
        usleep(10'000);
    }
    const std::lock_guard hold(notices->lock);
    EXPECT_EQ(notices->seen.size(), subscribed);
    for (Task* task : tasks) {
        EXPECT_TRUE(engine->is_done(task));
        engine->release(task);
    }
}

TEST_F(Tasks, AWorkerEndsAfterItsLimitAndNothingIsLost) {
    start(2, 7);
    std::vector<Task*> tasks;
    for (std::int64_t x = 0; x < 200; ++x)
        tasks.push_back(submit(x));
    for (std::int64_t x = 0; x < 200; ++x) {
        ASSERT_EQ(number(wait(tasks[static_cast<std::size_t>(x)])), 2 * x);
        engine->release(tasks[static_cast<std::size_t>(x)]);
    }
}

TEST_F(Tasks, AShutdownThatCancelsLeavesUnbornWorkersTheirFirst) {
    shared_counters()[kLetGo].store(0);
    start(2, 0, kHeld);
    std::vector<Task*> tasks;
    for (int i = 0; i < 50; ++i)
        tasks.push_back(submit(i));
    engine->begin_shutdown(Shutdown::cancel_waiting);
    shared_counters()[kLetGo].store(1);
    EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    std::size_t values = 0;
    for (Task* task : tasks) {
        ASSERT_TRUE(engine->is_done(task));
        const Ending ending = engine->result(task).ending;
        EXPECT_TRUE(ending == Ending::value || ending == Ending::cancelled);
        values += ending == Ending::value ? 1U : 0U;
        engine->release(task);
    }
    EXPECT_EQ(values, 2U);
}

TEST_F(Tasks, WhatIsLeftToThemIsCancelledByAHarderShutdown) {
    shared_counters()[kLetGo].store(0);
    start(2, 0, kHeld);
    std::vector<Task*> tasks;
    for (int i = 0; i < 50; ++i)
        tasks.push_back(submit(i));
    const auto executed = [] {
        std::uint32_t sum = 0;
        for (int i = 0; i < 50; ++i)
            sum += shared_counters()[i].load();
        return sum;
    };
    const std::uint32_t before = executed();
    engine->begin_shutdown(Shutdown::cancel_waiting);
    engine->begin_shutdown(Shutdown::cancel);
    shared_counters()[kLetGo].store(1);
    EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    for (Task* task : tasks) {
        EXPECT_EQ(engine->result(task).ending, Ending::cancelled);
        engine->release(task);
    }
    EXPECT_EQ(executed(), before);
}

TEST_F(Tasks, AWorkerIsBornWhereOneIsMissed) {
    EngineOptions options;
    options.workers = 3;
    options.on_demand = true;
    start_with(options);
    EXPECT_TRUE(engine->workers().empty());
    engine->demand_worker();
    engine->demand_worker();
    EXPECT_EQ(engine->workers().size(), 2U);
    for (int i = 0; i < 5; ++i)
        engine->demand_worker();
    EXPECT_LE(engine->workers().size(), 3U);
}

TEST_F(Tasks, ShutdownRefusesAndFinishes) {
    start(2);
    std::vector<Task*> tasks;
    for (std::int64_t x = 0; x < 2000; ++x)
        tasks.push_back(submit(x));
    engine->begin_shutdown(Shutdown::finish);
    Input input = input_of(1);
    Error why;
    EXPECT_EQ(engine->submit(function, input, why), nullptr);
    EXPECT_EQ(why.code, Errc::shut_down);
    EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    for (std::size_t x = 0; x < tasks.size(); ++x) {
        ASSERT_TRUE(engine->is_done(tasks[x]));
        ASSERT_EQ(number(engine->result(tasks[x])), static_cast<std::int64_t>(2 * x));
        engine->release(tasks[x]);
    }
}

// Whoever leads the sleepers may choose one for its successor that is done itself at that moment: it must pass that on.
TEST_F(Tasks, ManyThreadsWaitAndNoneIsForgotten) {
    start(2);
    for (int round = 0; round < 30; ++round) {
        std::vector<std::thread> threads;
        for (int number = 0; number < 12; ++number) {
            threads.emplace_back([&, number] {
                for (std::int64_t i = 0; i < 30; ++i)
                    EXPECT_EQ(call(100'000 + 100 * number + i), 2 * (100'000 + 100 * number + i));
            });
        }
        for (std::thread& thread : threads)
            thread.join();
    }
}

}  // namespace hardwork::test
