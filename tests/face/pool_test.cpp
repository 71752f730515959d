// The pool's own life: options, deaths, initializers, shutdown, and that nothing is left of it.
#include <atomic>
#include <cstdio>
#include <set>

#include "face/face_fixture.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int prepared = 0;

TEST(Pool, WrongOptions) {
    for (const int workers : {0, -1, 5000}) {
        const auto error = caught<std::invalid_argument>([&] { ProcessPool({.workers = workers}); });
        EXPECT_NE(std::string(error.what()).find(std::to_string(workers)), std::string::npos);
    }
    const auto error = caught<InvalidOption>([] { ProcessPool({.workers = 1, .start = Start::exec}); });
    EXPECT_NE(std::string(error.what()).find("enter_worker"), std::string::npos);
    ProcessPool pool;
    EXPECT_EQ(pool.workers(), usable_cpus());
}

TEST(Pool, ACrashCostsItsOwnTask) {
    ProcessPool pool({.workers = 2});
    std::vector<Future<int>> futures;
    for (int i = 0; i < 1000; ++i)
        futures.push_back(pool.submit([](int x) { return x == 500 ? die_by(SIGKILL) : x; }, i));
    for (int i = 0; i < 1000; ++i) {
        if (i == 500) {
            EXPECT_THROW(futures[500].get(), WorkerDied);
        } else {
            ASSERT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
        }
    }
}

TEST(Pool, TellsHowAWorkerDied) {
    ProcessPool pool({.workers = 2});
    const auto killed = caught<WorkerDied>([&] { pool.submit(die_by, SIGSEGV).get(); });
    EXPECT_EQ(killed.signal(), SIGSEGV);
    EXPECT_EQ(killed.exit_code(), -1);
    EXPECT_EQ(killed.phase(), Phase::run);
    EXPECT_GT(killed.pid(), 0);
    EXPECT_NE(std::string(killed.what()).find("signal 11"), std::string::npos) << killed.what();
    const auto left = caught<WorkerDied>([&] { pool.submit(leave_with, 3).get(); });
    EXPECT_EQ(left.signal(), 0);
    EXPECT_EQ(left.exit_code(), 3);
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

TEST(Pool, TheInitializerRunsFirstInEachWorker) {
    ProcessPool pool({.workers = 2, .initializer = [] { ++prepared; }});
    for (int i = 0; i < 100; ++i)
        ASSERT_EQ(pool.submit([] { return prepared; }).get(), 1);
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_EQ(pool.submit([] { return prepared; }).get(), 1);
    EXPECT_EQ(prepared, 0);
}

TEST(Pool, AnInitializerThatThrowsBreaksIt) {
    ProcessPool pool({.workers = 2, .initializer = [] { throw std::runtime_error("no licence"); }});
    const auto broken = caught<BrokenPool>([&] { pool.submit(twice, 1).get(); });
    EXPECT_EQ(broken.cause_type(), "std::runtime_error");
    EXPECT_EQ(broken.cause_message(), "no licence");
    EXPECT_THROW(pool.submit(twice, 1), BrokenPool);
    EXPECT_THROW(pool.map(twice, range(0, 9)), BrokenPool);
}

TEST(Pool, IsBrokenWhenAllItIsMadeOfHasDied) {
    ProcessPool pool({.workers = 1});
    const int worker = pool.submit(worker_pid).get();
    const auto seeds = child_pids(getpid());
    ASSERT_EQ(seeds.size(), 1U);
    const auto templates = child_pids(seeds[0]);
    ASSERT_EQ(templates.size(), 1U);
    kill(seeds[0], SIGKILL);
    kill(templates[0], SIGKILL);
    std::this_thread::sleep_for(50ms);
    EXPECT_EQ(pool.submit(worker_pid).get(), worker);
    EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    EXPECT_THROW(pool.submit(twice, 1).get(), BrokenPool);
}

TEST(Pool, IsNotPreparedInAProgramWithThreads) {
    std::atomic<bool> stop{false};
    std::thread thread([&] { stop.wait(false); });
    EXPECT_THROW(Template::prepare(), MultithreadedProgram);
    EXPECT_FALSE(Template::prepared());
    EXPECT_TRUE(child_pids(getpid()).empty());
    stop = true;
    stop.notify_all();
    thread.join();
}

TEST(Pool, ReplacesWorkersAfterSoManyTasks) {
    ProcessPool pool({.workers = 1, .max_tasks_per_worker = 3});
    std::set<int> pids;
    for (int i = 0; i < 9; ++i)
        pids.insert(pool.submit(worker_pid).get());
    EXPECT_EQ(pids.size(), 3U);
}

TEST(Pool, ShutdownLetsTasksFinishOrCancelsThem) {
    ProcessPool pool({.workers = 1});
    auto running = pool.submit(nap, 100);
    auto queued = pool.submit(twice, 2);
    pool.shutdown();
    EXPECT_EQ(running.get(), 100);
    EXPECT_EQ(queued.get(), 4);
    EXPECT_THROW(pool.submit(twice, 1), ShutDown);
    EXPECT_THROW(pool.submit([](const std::string& text) { return text; }, std::string(1000, 'x')), ShutDown);
    EXPECT_THROW(pool.map(twice, range(0, 3)), ShutDown);
    EXPECT_TRUE(pool.pids().empty());
    pool.shutdown();

    ProcessPool other({.workers = 1});
    auto first = other.submit(nap, 100);
    std::this_thread::sleep_for(50ms);
    auto second = other.submit(twice, 2);
    other.shutdown(ShutdownMode::cancel);
    EXPECT_THROW(second.get(), Cancelled);
    EXPECT_EQ(first.get(), 100);
}

TEST(Pool, LeavesNoProcessAndNoDescriptor) {
    const std::size_t before = open_descriptors();
    std::vector<std::int32_t> pids;
    {
        ProcessPool pool({.workers = 3});
        std::vector<Future<int>> futures;
        for (int i = 0; i < 100; ++i)
            futures.push_back(pool.submit(twice, i));
        for (auto& future : futures)
            future.get();
        for (int look = 0; look < 500 && pids.size() < 3; ++look) {  // the last may still be being born
            std::this_thread::sleep_for(10ms);
            pids = pool.pids();
        }
        EXPECT_EQ(pids.size(), 3U);
        EXPECT_THROW(pool.submit(die_by, SIGKILL).get(), WorkerDied);
    }
    EXPECT_TRUE(child_pids(getpid()).empty());
    for (const auto pid : pids)
        EXPECT_NE(kill(pid, 0), 0);
    EXPECT_EQ(open_descriptors(), before);
}

TEST(Pool, TwoSideBySideAndMoved) {
    ProcessPool one({.workers = 1});
    ProcessPool two({.workers = 1});
    auto first = one.submit(twice, 1);
    auto second = two.submit(twice, 2);
    EXPECT_EQ(first.get() + second.get(), 6);
    ProcessPool three = std::move(two);
    one = std::move(three);
    EXPECT_EQ(one.submit(twice, 5).get(), 10);
}

TEST(Pool, IsRefusedWhereOtherThreadsRun) {
    std::atomic<bool> stop{false};
    std::thread thread([&] { stop.wait(false); });
    const auto error = caught<MultithreadedProgram>([] { ProcessPool({.workers = 1}); });
    EXPECT_NE(std::string(error.what()).find("2 threads"), std::string::npos) << error.what();
#if !defined(__SANITIZE_THREAD__)  // which ends a fork of several threads that starts one where another's stack was
    {
        ProcessPool pool({.workers = 1, .allow_threads = true});
        EXPECT_EQ(pool.submit(twice, 1).get(), 2);
    }
#endif
    stop = true;
    stop.notify_all();
    thread.join();
    ProcessPool pool({.workers = 1});
    EXPECT_EQ(pool.submit(twice, 1).get(), 2);
}

ProcessPool* shared = nullptr;

TEST(Pool, CannotBeUsedInAnotherProcess) {
    ProcessPool pool({.workers = 1});
    shared = &pool;
    auto future = pool.submit(nap, 200);
    const pid_t child = fork();
    if (child == 0) {
        int refused = 0;
        try {
            shared->submit(twice, 1);
        } catch (const WrongProcess&) {
            ++refused;
        }
        try {
            future.get();
        } catch (const WrongProcess&) {
            ++refused;
        }
        _exit(refused);
    }
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_EQ(WEXITSTATUS(status), 2);
    EXPECT_EQ(future.get(), 200);
}

TEST(Pool, PrintsNothingTwiceAndAllThatTasksPrint) {
    std::FILE* file = std::tmpfile();
    ASSERT_NE(file, nullptr);
    static std::FILE* output;
    output = file;
    std::fputs("before;", file);  // stays in the buffer
    {
        ProcessPool pool({.workers = 2});
        pool.submit([] { std::fputs("task;", output); }).get();
    }
    std::fputs("after;", file);
    std::fflush(file);
    std::rewind(file);
    char text[100] = {};
    EXPECT_GT(std::fread(text, 1, sizeof text - 1, file), 0U);
    EXPECT_STREQ(text, "before;task;after;");
    std::fclose(file);
}

}  // namespace
}  // namespace hardwork::test
