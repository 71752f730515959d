// Maps: order, sharing out, deaths among items, abandoning.
#include "engine_fixture.hpp"

namespace hardwork::test {

using Jobs = EngineTest;

TEST_F(Jobs, ResultsComeInOrderAndEachItemRunsOnce) {
    start(2);
    constexpr std::uint32_t count = 200'000;
    for (std::size_t x = 0; x < count; ++x)
        shared_counters()[x] = 0;
    Job* job = map(0, count);
    const std::uint64_t got = read(job, [&](std::uint64_t index, const TaskResult& result) {
        ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * index));
    });
    EXPECT_EQ(got, count);
    engine->release_job(job);
    for (std::size_t x = 0; x < count; ++x)
        ASSERT_EQ(shared_counters()[x], 1U);
}

TEST_F(Jobs, MapsOfAnySizeIncludingNone) {
    start(2);
    for (const std::uint32_t count : {0U, 1U, 2U, 3U, 100U, 1023U, 1025U}) {
        Error why;
        Job* job = engine->start_job(function, {}, why);
        if (count != 0) {
            Input input = input_of(0);
            engine->add_span(job, input, count);
        }
        engine->seal(job);
        EXPECT_EQ(read(job, [](std::uint64_t, const TaskResult&) {}), count);
        engine->release_job(job);
    }
}

TEST_F(Jobs, TwoMapsAndTasksAtOnce) {
    start(2);
    Job* first = map(0, 20'000);
    Job* second = map(100'000, 20'000);
    EXPECT_EQ(call(9), 18);
    const auto check_second = [&](std::uint64_t index, const TaskResult& result) {
        ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * (100'000 + index)));
    };
    EXPECT_EQ(read(second, check_second), 20'000U);
    const auto check_first = [&](std::uint64_t index, const TaskResult& result) {
        ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * index));
    };
    EXPECT_EQ(read(first, check_first), 20'000U);
    engine->release_job(first);
    engine->release_job(second);
}

TEST_F(Jobs, WorkersKilledDuringAMapLoseOneItemEach) {
    start(2);
    constexpr std::uint32_t count = 100'000;
    for (std::size_t x = 0; x < count; ++x)
        shared_counters()[x] = 0;
    Job* job = map(0, count);
    int died = 0;
    const std::uint64_t got = read(job, [&](std::uint64_t index, const TaskResult& result) {
        if (index % 20'000 == 1) engine->signal_workers(SIGKILL);
        if (result.ending == Ending::worker_died) {
            ++died;
        } else {
            ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * index));
            ASSERT_EQ(shared_counters()[index], 1U);
        }
        ASSERT_LE(shared_counters()[index], 1U);
    });
    EXPECT_EQ(got, count);
    EXPECT_LE(died, 10);
    engine->release_job(job);
}

TEST_F(Jobs, AnAbandonedMapStops) {
    start(2);
    Job* job = map(0, 200'000);
    ResultBlock block;
    while (engine->next_block(job, block) == JobState::pending)
        engine->wait(job, monotonic_ns() + 1'000'000'000);
    engine->cancel_rest(job);
    engine->release_job(job);
    EXPECT_EQ(call(4), 8);
}

TEST_F(Jobs, LargeItems) {
    start(2);
    Job* job = map(kLarge, 20);
    const std::uint64_t got = read(job, [&](std::uint64_t, const TaskResult& result) {
        ASSERT_EQ(result.bytes.size(), kLargeSize);
        ASSERT_EQ(result.bytes[kLargeSize / 2], std::byte{7});
    });
    EXPECT_EQ(got, 20U);
    engine->release_job(job);
}

// Also while its reader holds on to it.
TEST_F(Jobs, OneThatIsCancelledBeforeItStartedIsOver) {
    start(1);
    Task* slow = submit(kSleep);
    Job* job = map(3'000, 6);
    engine->cancel_rest(job);
    EXPECT_EQ(number(wait(slow)), 2 * kSleep);
    engine->release(slow);
    EXPECT_EQ(engine->outstanding(), 0U);
    engine->begin_shutdown(Shutdown::finish);
    EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    engine->release_job(job);
}

}  // namespace hardwork::test
