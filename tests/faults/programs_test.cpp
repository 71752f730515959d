// P1 to P4, F1 to F3, R1: what happens to the program around a pool.
#include <sys/mman.h>
#include <sys/resource.h>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

int spin_and_say(const std::string& path) {
    note(path, getpid());
    volatile int turns = 0;
    for (;;)
        turns = turns + 1;
}

// A program with a pool whose two workers compute for ever.
class ParentTest : public FaultTest {
  protected:
    pid_t busy_parent(const std::function<void()>& then) {
        const pid_t parent = child_with([&] {
            ProcessPool busy({.workers = 2});
            std::vector<Future<int>> futures;
            for (int i = 0; i < 4; ++i)
                futures.push_back(busy.submit(spin_and_say, path_));
            if (!eventually([&] { return notes(path_).size() == 2; })) return 1;
            then();
            for (;;)
                pause();
        });
        EXPECT_TRUE(eventually([&] { return notes(path_).size() == 2; }));
        return parent;
    }
    void expect_workers_gone() {
        for (const int pid : notes(path_))
            EXPECT_TRUE(eventually([&] { return is_gone(pid); })) << pid;
        std::filesystem::remove(path_);
    }
};

using P1 = ParentTest;
using P2 = ParentTest;
using P3 = ParentTest;
using P4 = ParentTest;
using F1 = FaultTest;
using F2 = FaultTest;
using F3 = FaultTest;
using R1 = FaultTest;

// Busy workers are gone too.
TEST_F(P1, ParentKilled) {
    const pid_t parent = busy_parent([] {});
    kill(parent, SIGKILL);
    EXPECT_EQ(end_of(parent), 128 + SIGKILL);
    expect_workers_gone();
}

// As if it were killed.
TEST_F(P2, ParentEndsOtherwise) {
    for (const int number : {SIGTERM, SIGHUP, 0}) {
        const pid_t parent = busy_parent([&] {
            if (number == 0) _exit(3);
        });
        if (number != 0) kill(parent, number);
        EXPECT_EQ(end_of(parent), number == 0 ? 3 : 128 + number);
        expect_workers_gone();
    }
}

// No false death: the pool and its time limits go on where they were.
TEST_F(P3, AllStoppedAndContinued) {
    const pid_t parent = child_with([&] {
        setpgid(0, 0);
        ProcessPool some({.workers = 2});
        auto view = some.with({.timeout = 60s});
        std::vector<Future<int>> futures;
        for (int i = 0; i < 100; ++i)
            futures.push_back(view.submit(nap, 10));
        note(path_, 1);
        for (auto& future : futures) {
            if (future.get() != 10) return 1;
        }
        return some.stats().workers_died.empty() ? 0 : 2;
    });
    EXPECT_TRUE(eventually([&] { return !notes(path_).empty(); }));
    kill(-parent, SIGSTOP);
    std::this_thread::sleep_for(1s);
    kill(-parent, SIGCONT);
    EXPECT_EQ(end_of(parent), 0);
    std::filesystem::remove(path_);
}

// In many steps: it goes on where it was, which one long sleep would not.
int note_and_nap(const std::string& path, int milliseconds) {
    note(path, 1);
    for (int i = 0; i < milliseconds; i += 10)
        nap(10);
    return milliseconds;
}

// Nor where all was stopped for longer than a limit.
TEST_F(P3, StoppedForLongerThanALimit) {
    const pid_t parent = child_with([&] {
        setpgid(0, 0);
        ProcessPool some({.workers = 2});
        auto future = some.with({.timeout = 1s, .grace = 100ms}).submit(note_and_nap, path_, 500);
        if (future.get() != 500) return 1;
        return some.stats().workers_died.empty() ? 0 : 2;
    });
    EXPECT_TRUE(eventually([&] { return !notes(path_).empty(); }));
    kill(-parent, SIGSTOP);
    std::this_thread::sleep_for(2500ms);
    kill(-parent, SIGCONT);
    EXPECT_EQ(end_of(parent), 0);
    std::filesystem::remove(path_);
}

// The workers are gone.
TEST_F(P4, ParentExecutesAnotherProgram) {
    const pid_t parent = busy_parent([] { execl("/bin/sleep", "sleep", "100", nullptr); });
    expect_workers_gone();
    kill(parent, SIGKILL);
    EXPECT_EQ(end_of(parent), 128 + SIGKILL);
}

// The child's calls throw and its end touches nothing; the parent goes on.
TEST_F(F1, UserForks) {
    make();
    auto pending = pool().submit(nap, 100);
    for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(end_of(child_with([&] {
                      try {
                          pool().submit(twice, 1);
                          return 1;
                      } catch (const WrongProcess&) {
                      }
                      try {
                          pending.get();
                          return 2;
                      } catch (const WrongProcess&) {
                      }
                      return 0;
                  })),
                  0);
    }
    EXPECT_EQ(pending.get(), 100);
    innocents(20);
}

// A pool made in a forked child works there, with workers of its own.
TEST_F(F2, FirstUseInAForkedChild) {
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(end_of(child_with([] {
                      ProcessPool own({.workers = 2});
                      int sum = 0;
                      for (const int x : own.map(twice, range(0, 100)))
                          sum += x;
                      return sum == 9900 ? 0 : 1;
                  })),
                  0);
    }
}

int nested(int count) {
    ProcessPool inner({.workers = 2, .allow_threads = true});
    int sum = 0;
    for (const int x : inner.map(twice, range(0, count)))
        sum += x;
    return sum;
}

// It works, with workers of its own.
TEST_F(F3, APoolInAWorker) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not know that a fork has one thread";
    make();
    for (int i = 0; i < 3; ++i)
        EXPECT_EQ(pool().submit(nested, 100).get(), 9900);
}

// Fewer workers for the time, and all of them when there are descriptors again.
TEST_F(R1, NoDescriptorForAReplacement) {
    make();
    const auto pids = warm();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    kill(pids[0], SIGKILL);
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(pool().submit(twice, i).get(), 2 * i);
    setrlimit(RLIMIT_NOFILE, &before);
    innocents(20);
}

// SystemError or BrokenPool that says so; a pool made later works.
TEST_F(R1, NoDescriptorAtTheFirstUse) {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = open_descriptors() - 1;  // the listing had one of its own
    setrlimit(RLIMIT_NOFILE, &none);
    try {
        ProcessPool some({.workers = 2});
        some.submit(twice, 1).get();
        ADD_FAILURE() << "it had descriptors";
    } catch (const std::exception& error) {
        EXPECT_NE(std::string(error.what()), "");
    }
    setrlimit(RLIMIT_NOFILE, &before);
    make();
    innocents(10);
}

}  // namespace
}  // namespace hardwork::test
