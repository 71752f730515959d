// P1 to P4, F1 to F3, K1: what happens to the program around a pool.
#include <atomic>
#include <cstdlib>

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
HARDWORK_TASK(spin_and_say);

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
    // A program that leaves a note when the moment has come is killed. All that descends from it has the other end of a pipe.
    void expect_nothing_left(const std::function<void()>& body) {
        int ends[2];
        ASSERT_EQ(pipe(ends), 0);
        const pid_t parent = child_with([&] {
            close(ends[0]);
            body();
            return 1;
        });
        close(ends[1]);
        EXPECT_TRUE(eventually([&] { return !notes(path_).empty(); }));
        kill(parent, SIGKILL);
        EXPECT_EQ(end_of(parent), 128 + SIGKILL);
        char byte = 0;
        EXPECT_EQ(read(ends[0], &byte, 1), 0);
        close(ends[0]);
        std::filesystem::remove(path_);
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
using K1 = ParentTest;
using F1 = FaultTest;
using F2 = FaultTest;
using F3 = FaultTest;

// Busy workers are gone too.
TEST_F(P1, ParentKilled) {
    const pid_t parent = busy_parent([] {});
    kill(parent, SIGKILL);
    EXPECT_EQ(end_of(parent), 128 + SIGKILL);
    expect_workers_gone();
}

// The same.
TEST_F(P1, ParentKilledWhileItsPoolIsIdle) {
    expect_nothing_left([this] {
        ProcessPool idle({.workers = 2});
        idle.submit(twice, 1).get();
        idle.submit(note, path_, 1).get();
        for (;;)
            pause();
    });
}

// The same.
TEST_F(P1, ParentKilledDuringBirths) {
    expect_nothing_left([this] {
        ProcessPool slow({.workers = 2, .initializer = [this] {
                              note(path_, 1);
                              for (;;)
                                  pause();
                          }});
        slow.submit(twice, 1).get();
    });
    // And at any moment of them.
    for (int i = 0; i < 10; ++i) {
        expect_nothing_left([this] {
            note(path_, 1);
            for (;;) {
                ProcessPool some({.workers = 3});
                some.submit(twice, 1).get();
            }
        });
    }
}

// The same.
TEST_F(P1, ParentKilledDuringShutdown) {
    expect_nothing_left([this] {
        ProcessPool ending({.workers = 2});
        auto future = ending.submit(spin_and_say, path_);
        if (!eventually([&] { return !notes(path_).empty(); })) return;
        ending.shutdown();
    });
}

// The same, of a pool with Start::exec.
TEST_F(P1, ParentKilledWhoseWorkersWereExecuted) {
    expect_nothing_left([this] {
        ProcessPool busy({.workers = 2, .start = Start::exec});
        auto future = busy.submit(spin_and_say, path_);
        auto other = busy.submit(spin_and_say, path_);
        future.get();
    });
}

// As if it were killed.
TEST_F(P2, ParentEndsOtherwise) {
    for (const int number : {SIGTERM, SIGHUP, SIGABRT, 0}) {
        const pid_t parent = busy_parent([&] {
            if (number == 0) _exit(3);
            if (number == SIGABRT) {
                signal(SIGABRT, SIG_DFL);
                std::abort();
            }
        });
        if (number != 0 && number != SIGABRT) kill(parent, number);
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

// The same, by one thread while others are in the middle of a call.
TEST_F(F1, AThreadForksWhileOthersSubmit) {
    if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer does not know that a fork has one thread";
    make();
    std::atomic<bool> over{false};
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 2; ++i) {
        threads.emplace_back([&] {
            for (int x = 0; !over; ++x) {
                if (pool().submit(twice, x).get() != 2 * x) ++wrong;
            }
        });
    }
    std::thread forker([&] {
        for (int i = 0; i < 50; ++i) {
            const int code = end_of(child_with([&] {
                const auto refused = pool().try_submit(twice, 1);
                return !refused && refused.error().kind() == FailureKind::wrong_process ? 0 : 1;
            }));
            wrong += code == 0 ? 0 : 1;
        }
    });
    forker.join();
    over = true;
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(wrong.load(), 0);
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

// The program's own matter: it ends by it, its workers say nothing and are gone.
TEST_F(K1, CtrlCEndsTheProgram) {
    int said[2];
    ASSERT_EQ(pipe(said), 0);
    const pid_t parent = child_with([&] {
        setpgid(0, 0);
        close(said[0]);
        dup2(said[1], 1);
        dup2(said[1], 2);
        close(said[1]);
        signal(SIGINT, SIG_DFL);
        ProcessPool busy({.workers = 2});
        auto future = busy.submit(spin_and_say, path_);
        future.get();
        return 1;
    });
    close(said[1]);
    EXPECT_TRUE(eventually([&] { return !notes(path_).empty(); }));
    kill(-parent, SIGINT);
    EXPECT_EQ(end_of(parent), 128 + SIGINT);
    // To the end of the pipe, which all of them have: nothing was said, and nobody is left.
    char byte = 0;
    EXPECT_EQ(read(said[0], &byte, 1), 0);
    close(said[0]);
    std::filesystem::remove(path_);
}

std::atomic<int> interrupts{0};

// A program that handles it goes on, and so do its workers and its template.
TEST_F(K1, CtrlCThatIsHandled) {
    const pid_t parent = child_with([&] {
        setpgid(0, 0);
        signal(SIGINT, [](int) { ++interrupts; });
        ProcessPool some({.workers = 2});
        std::vector<Future<int>> futures;
        for (int i = 0; i < 100; ++i)
            futures.push_back(some.submit(nap, 5));
        note(path_, 1);
        for (auto& future : futures) {
            if (future.get() != 5) return 1;
        }
        if (!eventually([] { return interrupts.load() > 0; })) return 2;
        if (!some.stats().workers_died.empty()) return 3;
        if (some.submit(die_by, SIGKILL).try_get()) return 4;
        return some.submit(twice, 21).get() == 42 ? 0 : 5;
    });
    EXPECT_TRUE(eventually([&] { return !notes(path_).empty(); }));
    kill(-parent, SIGINT);
    EXPECT_EQ(end_of(parent), 0);
    std::filesystem::remove(path_);
}

}  // namespace
}  // namespace hardwork::test
