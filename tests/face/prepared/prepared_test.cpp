// A program that calls Template::prepare() first, and makes its pools when it has threads.
#include <algorithm>
#include <atomic>
#include <mutex>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int changed_later = 0;
int prepared_with = 0;
std::mutex held_by_a_thread;

void set_to_7() { prepared_with = 7; }
int get_prepared_with() { return prepared_with; }

// Has a thread as long as it lives, which holds a lock that tasks want as well.
class Prepared : public testing::Test {
  protected:
    Prepared()
        : thread_([this] {
              const std::lock_guard hold(held_by_a_thread);
              locked_ = true;
              locked_.notify_all();
              stop_.wait(false);
          }) {
        locked_.wait(false);
    }
    ~Prepared() override {
        stop_ = true;
        stop_.notify_all();
        thread_.join();
    }

  private:
    std::atomic<bool> stop_{false};
    std::atomic<bool> locked_{false};
    std::thread thread_;
};

TEST_F(Prepared, PoolsAreMadeAtAnyTime) {
    EXPECT_TRUE(Template::prepared());
    Template::prepare();  // again: nothing
    ProcessPool pool({.workers = 2});
    EXPECT_EQ(pool.submit(twice, 21).get(), 42);
    int sum = 0;
    for (const int x : pool.map(twice, range(0, 1000)))
        sum += x;
    EXPECT_EQ(sum, 999'000);
    // A lock that is held here is free there.
    EXPECT_TRUE(pool.submit([] { return held_by_a_thread.try_lock(); }).get());
    EXPECT_FALSE(pool.submit([] { return Template::prepared(); }).get());
}

TEST_F(Prepared, AndByAnyThreadSeveralAtATime) {
    std::vector<std::thread> threads;
    std::atomic<int> sum{0};
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&sum] {
            ProcessPool pool({.workers = 1});
            sum += pool.submit(twice, 1).get();
        });
    }
    for (auto& thread : threads)
        thread.join();
    EXPECT_EQ(sum, 8);
}

TEST_F(Prepared, WorkersAreCopiesOfTheProgramAsItWasThen) {
    changed_later = 5;
    ProcessPool pool({.workers = 1});
    EXPECT_EQ(pool.submit([] { return changed_later; }).get(), 0);
}

TEST_F(Prepared, InitializersTravel) {
    const int own = prepared_with + 9;
    for (const Initializer& initializer :
         {Initializer(set_to_7), Initializer([] { set_to_7(); }), Initializer([own] { prepared_with = own; }),
          Initializer(bound([](const std::string& text) { prepared_with = static_cast<int>(text.size()); },
                            std::string(100'000, 'x')))}) {
        ProcessPool pool({.workers = 1, .initializer = initializer});
        EXPECT_NE(pool.submit(get_prepared_with).get(), 0);
    }
    ProcessPool failing({.workers = 1, .initializer = [] { throw std::runtime_error("no licence"); }});
    EXPECT_EQ(caught<BrokenPool>([&] { failing.submit(twice, 1).get(); }).cause_message(), "no licence");
    const std::string text = "a capture with an address";
    EXPECT_THROW(ProcessPool({.workers = 1, .initializer = [text] { prepared_with = static_cast<int>(text.size()); }}),
                 InvalidOption);
}

void handle(int) {}

TEST_F(Prepared, WorkersHaveTheSignalHandlersOfTheProgram) {
    ProcessPool pool({.workers = 1});
    EXPECT_TRUE(pool.submit([] { return signal(SIGCHLD, SIG_DFL) == &handle; }).get());
}

TEST_F(Prepared, HooksTellOfBirthsAndDeaths) {
    std::atomic<int> started{0};
    std::atomic<int> signal{0};
    Options options{.workers = 1};
    options.on_worker_start = [&](int) { ++started; };
    options.on_worker_death = [&](const WorkerDeath& death) { signal = death.status.value; };
    ProcessPool pool(std::move(options));
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    pool.shutdown();
    EXPECT_EQ(started, 2);
    EXPECT_EQ(signal, SIGKILL);
}

[[maybe_unused]] void keep(std::size_t bytes) {
    static std::vector<char> kept;
    kept.assign(bytes, 'x');
}

TEST_F(Prepared, WorkersRetireAtTheirLimits) {
    {
        ProcessPool pool({.workers = 1, .max_tasks_per_worker = 2});
        const int pid = pool.submit(worker_pid).get();
        EXPECT_EQ(pool.submit(worker_pid).get(), pid);
        EXPECT_NE(pool.submit(worker_pid).get(), pid);
    }
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ProcessPool pool({.workers = 1, .max_memory_per_worker = 100'000'000});
    const int pid = pool.submit(worker_pid).get();
    pool.submit(keep, std::size_t{130'000'000}).get();
    EXPECT_NE(pool.submit(worker_pid).get(), pid);
#endif
}

TEST_F(Prepared, TasksCanBeStoppedAndGoneOnFrom) {
    ProcessPool pool({.workers = 1});
    auto running = pool.submit([] {
        for (;; std::this_thread::sleep_for(1ms))
            this_task::throw_if_stopped();
    });
    while (running.state() == FutureState::waiting)
        std::this_thread::sleep_for(1ms);
    EXPECT_TRUE(running.stop());
    EXPECT_THROW(running.get(), TaskStopped);
    EXPECT_EQ(pool.submit(twice, 4).then([](int x) { return x + 1; }).get(), 9);
    EXPECT_EQ(pool.submit(fail_at_7, 7).then([](Result<int> x) { return x ? 1 : 2; }).get(), 2);
}

TEST_F(Prepared, ADeadTemplateIsMadeAgain) {
    ProcessPool pool({.workers = 1});
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    const std::vector<int> seeds = child_pids(getpid());
    ASSERT_EQ(seeds.size(), 1U);
    const std::vector<int> templates = child_pids(seeds.front());
    ASSERT_EQ(templates.size(), 1U);
    kill(templates.front(), SIGKILL);
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_EQ(pool.submit(twice, 2).get(), 4);
}

TEST_F(Prepared, NothingIsLeftOfAPool) {
    const int seed = child_pids(getpid()).front();
    std::size_t before = 0;
    for (int round = 0; round < 3; ++round) {
        {
            ProcessPool pool({.workers = 2});
            EXPECT_EQ(pool.submit(twice, 1).get(), 2);
        }
        while (!child_pids(seed).empty())  // it is reaped in a moment
            std::this_thread::sleep_for(1ms);
        if (round == 0) before = open_descriptors();
        EXPECT_EQ(open_descriptors(), before);
    }
}

// In a copy of this program (made while it has no other thread): what it made, and then how it ends.
TEST(PreparedProgram, TakesEverythingAlongWhenItEnds) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) {
        close(ends[0]);
        // A copy is no owner of what the original has prepared, and may prepare for itself.
        if (Template::prepared()) _exit(1);
        Template::prepare();
        static ProcessPool pool({.workers = 2});
        pool.submit(twice, 1).get();
        raise(SIGKILL);
    }
    close(ends[1]);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    // All that descends from it has the other end of the pipe.
    char byte;
    EXPECT_EQ(read(ends[0], &byte, 1), 0);
    close(ends[0]);
}

}  // namespace
}  // namespace hardwork::test

int main(int argc, char** argv) {
    signal(SIGCHLD, hardwork::test::handle);
    hardwork::Template::prepare();
    testing::InitGoogleTest(&argc, argv);
    return RUN_ALL_TESTS();
}
