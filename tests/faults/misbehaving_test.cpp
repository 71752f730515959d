// W10 to W18: a task does to its worker what no task should.
#include <cstring>
#include <new>

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
int lower_limits(int x) {
    for (const auto what : {RLIMIT_NOFILE, RLIMIT_FSIZE, RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_MEMLOCK}) {
        rlimit limit{};
        getrlimit(what, &limit);
        limit.rlim_cur = 0;
        if (setrlimit(what, &limit) != 0) return -1;
    }
    return x;
}
std::string repeated(std::size_t size) { return std::string(size, 'r'); }

constexpr std::size_t kTooMuch = std::size_t{1} << 60;
std::size_t too_much(std::size_t size) { return std::vector<char>(size).size(); }
// More than this process may have, though the machine may have it.
std::size_t more_than_allowed(std::size_t size) {
    std::ifstream statm("/proc/self/statm");
    rlim_t pages = 0;
    statm >> pages;
    rlimit before{};
    getrlimit(RLIMIT_AS, &before);
    rlimit limit = before;
    limit.rlim_cur = pages * static_cast<rlim_t>(sysconf(_SC_PAGESIZE)) + (rlim_t{64} << 20);
    setrlimit(RLIMIT_AS, &limit);
    std::size_t got = 0;
    const std::exception_ptr failure = detail::attempt([&] { got = too_much(size); });
    setrlimit(RLIMIT_AS, &before);
    if (failure != nullptr) std::rethrow_exception(failure);
    return got;
}

// They want too much memory as they are decoded or encoded there; here, before and after, they are small.
struct HugeDecoded {};
struct HugeEncoded {
    int owner = getpid();
};

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::HugeDecoded> {
    static void encode(auto& out, const hardwork::test::HugeDecoded&) { hardwork::encode(out, 1); }
    static hardwork::test::HugeDecoded decode(Decoder& in) {
        hardwork::decode<int>(in);
        static_cast<void>(hardwork::test::too_much(hardwork::test::kTooMuch));
        return {};
    }
};

template <>
struct hardwork::Codec<hardwork::test::HugeEncoded> {
    static void encode(auto& out, const hardwork::test::HugeEncoded&) {
        hardwork::encode(out, hardwork::test::too_much(hardwork::test::kTooMuch));
    }
    static hardwork::test::HugeEncoded decode(Decoder& in) {
        return {static_cast<int>(hardwork::decode<std::size_t>(in))};
    }
};

namespace hardwork::test {
namespace {

int take_huge(const HugeDecoded&) { return 1; }
HugeEncoded give_huge() { return {}; }

using W10 = FaultTest;
using W11 = FaultTest;
using W12 = FaultTest;
using W13 = FaultTest;
using W14 = FaultTest;
using W15 = FaultTest;
using W16 = FaultTest;
using W18 = FaultTest;

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

// Work goes to the others; continued, it works again.
TEST_F(W11, StoppedWhileIdle) {
    make();
    const auto pids = warm();
    kill(pids[0], SIGSTOP);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 200; ++i)
        futures.push_back(pool().submit(note, path_ + ".ran", i));
    EXPECT_TRUE(eventually(
        [&] { return std::all_of(futures.begin(), futures.end(), [](auto& future) { return future.ready(); }); }));
    kill(pids[0], SIGCONT);
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
    EXPECT_EQ(notes(path_ + ".ran").size(), 200U);
    innocents(50);
    EXPECT_EQ(warm(), pids);
    std::filesystem::remove(path_ + ".ran");
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

// Limits of descriptors, files, processes: the pool goes on, in that worker too, with large results as well.
TEST_F(W16, LowersItsLimits) {
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_EQ(pool().submit(lower_limits, 3).get(), 3);
    EXPECT_EQ(pool().submit(repeated, std::size_t{5'000'000}).get(), repeated(5'000'000));
    EXPECT_EQ(pool().submit(length, repeated(5'000'000)).get(), 5'000'000U);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

// std::bad_alloc reaches the caller as itself, from each phase, and the worker lives.
TEST_F(W18, NoMemory) {
    if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer ends the process where memory is refused";
    make({.workers = 1});
    const int pid = pool().submit(worker_pid).get();
    EXPECT_THROW(pool().submit(too_much, kTooMuch).get(), std::bad_alloc);
    EXPECT_THROW(pool().submit(take_huge, HugeDecoded{}).get(), std::bad_alloc);
    EXPECT_THROW(pool().submit(give_huge).get(), std::bad_alloc);
    EXPECT_THROW(pool().submit(more_than_allowed, std::size_t{1} << 30).get(), std::bad_alloc);
    EXPECT_EQ(pool().submit(too_much, kTooMuch).try_get().error().kind(), FailureKind::no_memory);
    innocents(10);
    EXPECT_EQ(pool().submit(worker_pid).get(), pid);
}

}  // namespace
}  // namespace hardwork::test
