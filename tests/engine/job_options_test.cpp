// Maps that are not read in order, whose input comes while they run, or whose items are counted in runs.
#include <set>
#include <thread>

#include "engine_fixture.hpp"

namespace hardwork::test {

class JobOptionsTest : public EngineTest {
  protected:
    Job* start_job(const JobOptions& options) {
        Error why;
        Job* job = engine->start_job(function, options, why);
        EXPECT_NE(job, nullptr) << why.what;
        return job;
    }
    void add(Job* job, std::int64_t first, std::uint32_t count) {
        Input input = input_of(first);
        engine->add_span(job, input, count);
    }
    // Returns when the notice of that cookie has come.
    void wait_for_notice(void* cookie) {
        for (int i = 0; i < 30'000; ++i) {
            {
                const std::lock_guard hold(notices->lock);
                for (void* seen : notices->seen)
                    if (seen == cookie) return;
            }
            usleep(1000);
        }
        FAIL() << "no notice";
    }
};

TEST_F(JobOptionsTest, UnorderedResultsAreAllThereOnce) {
    start(2);
    JobOptions options;
    options.ordered = false;
    Job* job = start_job(options);
    constexpr std::uint32_t count = 50'000;
    add(job, 0, count);
    engine->seal(job);
    std::set<std::int64_t> seen;
    EXPECT_EQ(read(job, [&](std::uint64_t, const TaskResult& result) { seen.insert(number(result)); }), count);
    EXPECT_EQ(seen.size(), count);
    EXPECT_EQ(*seen.rbegin(), 2 * (static_cast<std::int64_t>(count) - 1));
    engine->release_job(job);
}

TEST_F(JobOptionsTest, UnorderedDoesNotWaitForAnEarlierItem) {
    start(2);
    JobOptions options;
    options.ordered = false;
    Job* job = start_job(options);
    add(job, kSleep, 1);
    add(job, 7, 1);
    engine->seal(job);
    std::vector<std::int64_t> order;
    EXPECT_EQ(read(job, [&](std::uint64_t, const TaskResult& result) { order.push_back(number(result)); }), 2U);
    EXPECT_EQ(order, (std::vector<std::int64_t>{14, 2 * kSleep}));
    engine->release_job(job);
}

TEST_F(JobOptionsTest, InputMayComeWhileOthersAreRead) {
    start(2);
    Job* job = start_job({});
    engine->hold_job(job);
    constexpr std::uint32_t count = 2000;
    const Bounds bounds{.unfinished = 10, .unread = 100};
    std::thread feeder([&] {
        for (std::uint32_t i = 0; i < count; ++i) {
            while (engine->room(job, bounds) == Room::full) {
                EXPECT_EQ(engine->wait_room(job, bounds), WaitEnd::done);
            }
            add(job, i, 1);
        }
        engine->seal(job);
        engine->release_job(job);
    });
    const auto check = [&](std::uint64_t index, const TaskResult& result) {
        ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * index));
        engine->hand_out(job, 1);
    };
    EXPECT_EQ(read(job, check), count);
    feeder.join();
    engine->release_job(job);
}

TEST_F(JobOptionsTest, AFeederLearnsThatNoMoreIsWanted) {
    start(1);
    Job* job = start_job({});
    engine->hold_job(job);
    add(job, kSleep, 1);
    const Bounds none{.unfinished = 0};
    EXPECT_EQ(engine->room(job, none), Room::full);
    std::thread feeder([&] {
        EXPECT_EQ(engine->wait_room(job, none), WaitEnd::done);
        EXPECT_EQ(engine->room(job, none), Room::unwanted);
        add(job, 1, 1);  // too late: harmless
        engine->release_job(job);
    });
    usleep(20'000);
    engine->cancel_rest(job);
    feeder.join();
    engine->release_job(job);
    EXPECT_EQ(call(4), 8);
}

TEST_F(JobOptionsTest, AMapWhoseInputWasCutOffIsNotMistakenForAWholeOne) {
    start(1);
    Job* job = start_job({});
    add(job, 1, 1);
    ResultBlock block;
    TaskResult result;
    while (engine->next_block(job, block) == JobState::pending)
        engine->wait(job, monotonic_ns() + 1'000'000'000);
    ASSERT_TRUE(block.next(result));
    EXPECT_EQ(number(result), 2);
    engine->begin_shutdown(Shutdown::terminate);
    EXPECT_EQ(engine->next_block(job, block), JobState::cancelled);
    EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    engine->release_job(job);
}

TEST_F(JobOptionsTest, WhoSubscribesToAMapIsToldOnceAllIsThere) {
    start(2);
    int cookie = 0;
    Job* job = start_job({});
    add(job, 0, 1000);
    EXPECT_TRUE(engine->subscribe(job, &cookie));
    engine->seal(job);
    wait_for_notice(&cookie);
    EXPECT_EQ(read(job, [](std::uint64_t, const TaskResult&) {}), 1000U);
    EXPECT_FALSE(engine->subscribe(job, &cookie));
    int later = 0;
    EXPECT_TRUE(engine->notify(&later));
    wait_for_notice(&later);
    engine->release_job(job);
}

TEST_F(JobOptionsTest, TerminationCancelsWhatRuns) {
    start(1);
    Task* task = submit(kSleep);
    while (!engine->is_running(task))
        usleep(1000);
    engine->begin_shutdown(Shutdown::terminate);
    engine->signal_workers(SIGKILL);
    EXPECT_EQ(wait(task).ending, Ending::cancelled);
    engine->release(task);
}

TEST_F(JobOptionsTest, ARunOfItemsCountsAsOneTask) {
    EngineOptions engine_options;
    engine_options.workers = 1;
    engine_options.max_tasks_per_worker = 1;
    engine_options.span_is_task = true;
    start_with(engine_options);
    JobOptions options;
    options.most_in_row = 3;
    Job* job = start_job(options);
    for (int i = 0; i < 4; ++i)
        add(job, kPid, 1);
    engine->seal(job);
    // Four spans of an item each: four workers, one after the other.
    std::vector<std::int64_t> pids;
    EXPECT_EQ(read(job, [&](std::uint64_t, const TaskResult& result) { pids.push_back(number(result)); }), 4U);
    EXPECT_EQ(std::set<std::int64_t>(pids.begin(), pids.end()).size(), 4U);
    engine->release_job(job);
    EXPECT_EQ(engine->outstanding(), 0U);
}

TEST_F(JobOptionsTest, NobodyGetsAPartOfARun) {
    EngineOptions engine_options;
    engine_options.workers = 2;
    engine_options.max_tasks_per_worker = 1;
    engine_options.span_is_task = true;
    start_with(engine_options);
    JobOptions options;
    options.most_in_row = 2;
    Job* job = start_job(options);
    for (int i = 0; i < 5; ++i)
        add(job, kPid, 2);
    engine->seal(job);
    std::vector<std::int64_t> pids;
    EXPECT_EQ(read(job, [&](std::uint64_t, const TaskResult& result) { pids.push_back(number(result)); }), 10U);
    // So many runs, so many workers.
    EXPECT_EQ(std::set<std::int64_t>(pids.begin(), pids.end()).size(), 5U);
    engine->release_job(job);
    job = start_job(options);
    add(job, 0, 100);
    engine->seal(job);
    EXPECT_EQ(
        read(job, [&](std::uint64_t index,
                      const TaskResult& result) { ASSERT_EQ(number(result), static_cast<std::int64_t>(2 * index)); }),
        100U);
    engine->release_job(job);
}

}  // namespace hardwork::test
