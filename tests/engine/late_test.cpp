// A worker that does not begin, since it sits in its initializer or has been stopped, keeps nothing from the others.
#include "engine_fixture.hpp"

namespace hardwork::test {

class Late : public EngineTest {
  protected:
    static constexpr std::int64_t kFirst = 200'000;
    static constexpr std::int64_t kCount = 20;

    void SetUp() override {
        shared_counters()[kBirths] = 0;
        for (std::int64_t x = kFirst; x < kFirst + kCount; ++x)
            shared_counters()[x] = 0;
    }
    void TearDown() override {
        for (std::int64_t x = kFirst; x < kFirst + ran_; ++x)
            EXPECT_EQ(shared_counters()[x], 1U) << x;
        if (engine != nullptr) engine->signal_workers(SIGKILL);
        EngineTest::TearDown();
    }
    // Two workers, of which one is stopped for good before it is ready.
    void start_with_one_frozen() { start(2, 0, kFrozenAtFirst); }
    // Two workers that are ready and asleep, of which one is stopped then.
    void start_and_stop_one() {
        start(2);
        Task* tasks[] = {submit(kSleep), submit(kSleep)};
        for (Task* task : tasks) {
            EXPECT_EQ(number(wait(task)), 2 * kSleep);
            engine->release(task);
        }
        usleep(20'000);
        ASSERT_EQ(engine->workers().size(), 2U);
        ASSERT_EQ(kill(engine->workers()[0].pid, SIGSTOP), 0);
    }
    std::vector<Task*> submit_all() {
        std::vector<Task*> tasks;
        for (std::int64_t x = kFirst; x < kFirst + kCount; ++x)
            tasks.push_back(submit(x));
        ran_ = kCount;
        return tasks;
    }
    void expect_all(const std::vector<Task*>& tasks) {
        for (std::int64_t x = kFirst; Task * task : tasks) {
            EXPECT_EQ(number(wait(task)), 2 * x++);
            engine->release(task);
        }
    }
    void map_all(std::uint32_t count, const JobOptions& options) {
        Error why;
        Job* job = engine->start_job(function, options, why);
        Input input = input_of(kFirst);
        engine->add_span(job, input, count);
        engine->seal(job);
        ran_ = count;
        ASSERT_EQ(read(job,
                       [&](std::uint64_t item, const TaskResult& each) {
                           EXPECT_EQ(number(each), 2 * (kFirst + static_cast<std::int64_t>(item)));
                       }),
                  count);
        engine->release_job(job);
    }

    std::int64_t ran_ = 0;
};

TEST_F(Late, OneThatIsNotReadyKeepsNoTask) {
    start_with_one_frozen();
    expect_all(submit_all());
}

TEST_F(Late, NorOneThatWasStoppedWhileItSlept) {
    start_and_stop_one();
    expect_all(submit_all());
}

TEST_F(Late, NorWhenNobodyWaits) {
    start_and_stop_one();
    const std::vector<Task*> tasks = submit_all();
    for (Task* task : tasks) {
        for (int i = 0; i < 30'000 && !engine->is_done(task); ++i) {
            usleep(1'000);
            engine->poll();
        }
    }
    expect_all(tasks);
}

TEST_F(Late, NorWhenSomebodyIsToBeTold) {
    start_and_stop_one();
    const std::vector<Task*> tasks = submit_all();
    for (Task* task : tasks)
        engine->subscribe(task, task);
    for (Task* task : tasks) {
        for (int i = 0; i < 30'000 && !engine->is_done(task); ++i)
            usleep(1'000);
    }
    expect_all(tasks);
}

TEST_F(Late, NorAtThePoolsEnd) {
    start_and_stop_one();
    const std::vector<Task*> tasks = submit_all();
    engine->begin_shutdown(Shutdown::finish);
    for (Task* task : tasks) {
        for (int i = 0; i < 30'000 && !engine->is_done(task); ++i)
            usleep(1'000);
    }
    expect_all(tasks);
}

TEST_F(Late, NoItemsEither) {
    for (const std::uint32_t count : {1U, 2U, 20U}) {
        for (const std::uint32_t most : {0U, 1U, 3U}) {
            SCOPED_TRACE(std::to_string(count) + " items, at most " + std::to_string(most) + " in a row");
            SetUp();
            start_with_one_frozen();
            JobOptions options;
            options.most_in_row = most;
            map_all(count, options);
            TearDown();
            engine.reset();
            ran_ = 0;
        }
    }
}

}  // namespace hardwork::test
