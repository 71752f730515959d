// W10 to W18: a task does to its worker what no task should.
#include <sys/mman.h>
#include <sys/resource.h>

#include <atomic>
#include <random>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int throw_int(int x) { throw x; }
int freeze(int x) {
    raise(SIGSTOP);
    return x;
}
int spin(int x) {
    volatile int turns = 0;
    while (x != 0)
        turns = turns + 1;
    return turns;
}
int ignore_signals_and_wait(const std::string& path) {
    for (const int number : {SIGTERM, SIGINT})
        signal(number, SIG_IGN);
    note(path, getpid());
    for (;;)
        pause();
}
int leave_a_child_and_die(const std::string& path) {
    const pid_t child = fork();
    if (child == 0) {
        sleep(100);
        _exit(0);
    }
    note(path, child);
    return die_by(SIGKILL);
}
int close_all(int x) {
    for (int fd = 3; fd < 1024; ++fd)
        close(fd);
    std::this_thread::sleep_for(1ms);
    return x;
}
int replace_all(int x) {
    const int other = memfd_create("other", 0);
    for (int fd = 3; fd < 64; ++fd) {
        if (fd != other) dup2(other, fd);
    }
    std::this_thread::sleep_for(1ms);
    return x;
}
int execute(int) {
    execl("/bin/true", "true", nullptr);
    return 1;
}
std::size_t length(const std::string& text) { return text.size(); }
int change_everything(int x) {
    sigset_t all;
    sigfillset(&all);
    umask(0777);
    return chdir("/proc") == 0 && sigprocmask(SIG_BLOCK, &all, nullptr) == 0 ? x : -1;
}
std::size_t too_much(std::size_t size) { return std::vector<char>(size).size(); }

using W10 = FaultTest;
using W11 = FaultTest;
using W12 = FaultTest;
using W13 = FaultTest;
using W14 = FaultTest;
using W15 = FaultTest;
using W16 = FaultTest;
using W18 = FaultTest;
using W20 = FaultTest;
using W21 = FaultTest;
using W22 = FaultTest;
using W23 = FaultTest;

// What is thrown is delivered, also what is no std::exception, and the worker lives.
TEST_F(W10, ThrowsAnything) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_THROW(pool().submit(throw_int, 5).get(), RemoteError);
    innocents(10);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

// TaskTimeout; the worker is replaced, and no second result ever comes.
TEST_F(W11, StoppedWhileRunningWithATimeLimit) {
    make();
    auto future = pool().with({.timeout = 100ms, .grace = 50ms}).submit(freeze, 1);
    innocents(50);
    EXPECT_THROW(future.get(), TaskTimeout);
    innocents(10);
}

// A task that was stopped and goes on ends as if nothing had been.
TEST_F(W11, ContinuedBeforeTheLimit) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    auto future = pool().with({.timeout = 60s}).submit(freeze, 7);
    EXPECT_TRUE(eventually([&] {
        std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
        std::string text;
        std::getline(stat, text);
        return text.find(") T") != std::string::npos;
    }));
    kill(pid, SIGCONT);
    EXPECT_EQ(future.get(), 7);
}

// With a time limit: stopped after limit and grace, by force; the error names the worker.
TEST_F(W12, StuckInALoop) {
    make();
    auto future = pool().with({.timeout = 50ms, .grace = 20ms}).submit(spin, 1);
    innocents(20);
    const auto error = caught<TaskTimeout>([&] { future.get(); });
    ASSERT_NE(error.death(), nullptr);
    EXPECT_GT(error.death()->pid, 0);
}

// SIGKILL after the grace.
TEST_F(W13, IgnoresSignalsAtATimeLimit) {
    make();
    const std::string entered = path_ + ".entered";
    auto future = pool().with({.timeout = 100ms, .grace = 50ms}).submit(ignore_signals_and_wait, entered);
    innocents(10);
    EXPECT_THROW(future.get(), TaskTimeout);
    EXPECT_TRUE(eventually([&] { return kill(notes(entered).at(0), 0) != 0; }));
    std::filesystem::remove(entered);
}

// Ending the pool by force ends it too.
TEST_F(W13, IgnoresSignalsAtTheEnd) {
    make();
    broken_ = true;
    const std::string entered = path_ + ".entered";
    auto future = pool().submit(ignore_signals_and_wait, entered);
    EXPECT_TRUE(eventually([&] { return !notes(entered).empty(); }));
    pool().kill();
    EXPECT_THROW(future.get(), Cancelled);
    EXPECT_TRUE(eventually([&] { return kill(notes(entered).at(0), 0) != 0; }));
    std::filesystem::remove(entered);
}

// As W4: the pool does not wait for what the task left behind.
TEST_F(W14, ForkedThenDied) {
    make();
    const std::string path = path_ + ".child";
    innocents(10);
    expect_killed(pool().submit(leave_a_child_and_die, path), SIGKILL);
    innocents(10);
    const int child = notes(path).at(0);
    EXPECT_EQ(kill(child, SIGKILL), 0) << "it lives on";
    std::filesystem::remove(path);
}

// At most that worker is lost; no other task notices, also none with a large argument.
TEST_F(W15, ClosesOrReplacesDescriptors) {
    make();
    const std::string data(2'000'000, 'x');
    for (const auto act : {close_all, replace_all}) {
        auto evil = pool().submit(act, 1);
        std::vector<Future<std::size_t>> others;
        for (int i = 0; i < 10; ++i)
            others.push_back(pool().submit(length, data));
        innocents(20);
        for (auto& other : others)
            EXPECT_EQ(other.get(), data.size());
        try {
            EXPECT_EQ(evil.get(), 1);
        } catch (const WorkerDied&) {
        }
    }
}

// The task is lost with its worker, and nothing else.
TEST_F(W15, ExecutesAnotherProgram) {
    make();
    innocents(10);
    expect_death(pool().submit(execute, 1), ExitStatus::Kind::exited, 0, Phase::run);
    innocents(10);
}

// Directory, umask, signal mask: the pool goes on, in that worker too.
TEST_F(W16, ChangesItsProcess) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_EQ(pool().submit(change_everything, 3).get(), 3);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
    EXPECT_EQ(pool().submit(twice, 4).get(), 8);
}

// The exception reaches the caller, and the worker lives.
TEST_F(W18, NoMemory) {
    if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer ends the process where memory is refused";
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_THROW(pool().submit(too_much, std::size_t{1} << 60).get(), std::exception);
    innocents(10);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

// A broken pool, with what the initializer threw; no task runs uninitialised.
TEST_F(W20, InitializerThrows) {
    broken_ = true;
    make({.workers = 2, .initializer = [] { throw std::runtime_error("the initializer says so"); }});
    try {
        pool().submit(note, path_, 1).get();
        FAIL() << "it ran";
    } catch (const BrokenPool& error) {
        EXPECT_NE(std::string(error.what()).find("the initializer says so"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(notes(path_).empty());
}

// A broken pool instead of endless births, which says how the last worker ended.
TEST_F(W20, InitializerExits) {
    broken_ = true;
    make({.workers = 2, .initializer = [] { _exit(5); }});
    const auto error = caught<BrokenPool>([&] { pool().submit(note, path_, 1).get(); });
    ASSERT_NE(error.death(), nullptr);
    EXPECT_EQ(error.death()->status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(error.death()->status.value, 5);
    EXPECT_EQ(error.death()->phase, Phase::init);
    EXPECT_NE(std::string(error.what()).find("exited with code 5 (INIT)"), std::string::npos) << error.what();
    EXPECT_TRUE(notes(path_).empty());
}

// Each of them is a WorkerDied, and the pool lives.
TEST_F(W21, EveryTaskKillsItsWorker) {
    make();
    std::vector<Future<int>> futures;
    for (int i = 0; i < 300; ++i)
        futures.push_back(pool().submit(die_by, SIGKILL));
    for (auto& future : futures)
        expect_killed(std::move(future), SIGKILL);
}

// A random worker is killed every 1 to 20 ms: nobody else's task is lost, and none runs twice.
TEST_F(W22, Storm) {
    make();
    warm();
    const auto seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    std::atomic<bool> over{false};
    std::thread killer([&] {
        std::mt19937 dice(seed);
        while (!over.load()) {
            std::this_thread::sleep_for(std::chrono::microseconds(1'000 + dice() % 19'000));
            const auto pids = pool().pids();
            if (!pids.empty()) kill(pids[dice() % pids.size()], SIGKILL);
        }
    });
    constexpr int kCount = 20'000;
    const std::string path = path_ + ".storm";
    std::vector<Future<int>> futures;
    for (int i = 0; i < kCount; ++i)
        futures.push_back(pool().submit(note, path, i));
    std::map<int, bool> lost;
    for (int i = 0; i < kCount; ++i) {
        try {
            EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
        } catch (const WorkerDied&) {
            lost[i] = true;
        }
    }
    over = true;
    killer.join();
    std::vector<int> runs = notes(path);
    std::sort(runs.begin(), runs.end());
    EXPECT_EQ(std::adjacent_find(runs.begin(), runs.end()), runs.end()) << "one ran twice";
    for (int i = 0; i < kCount; ++i)
        EXPECT_TRUE(lost.contains(i) || std::binary_search(runs.begin(), runs.end(), i)) << i;
    EXPECT_LT(lost.size(), kCount / 4U);
    std::filesystem::remove(path);
}

// Nothing hangs and nothing is lost, while tasks wait and as the pool ends.
TEST_F(W23, WorkersRetireWithABacklog) {
    make({.workers = 2, .max_tasks_per_worker = 5});
    innocents(300);
}

}  // namespace
}  // namespace hardwork::test
