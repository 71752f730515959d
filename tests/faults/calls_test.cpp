// C1 to C6: calls from everywhere.
#include <sys/time.h>

#include <atomic>
#include <random>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using C1 = FaultTest;
using C2 = FaultTest;
using C3 = FaultTest;
using C4 = FaultTest;
using C5 = FaultTest;
using C6 = FaultTest;

// A task that uses a pool of the program's: WrongProcess, in the task. (Of its own pool a worker has nothing, being a copy
// of the program from before.)
TEST_F(C1, APoolOfTheProgramsInATask) {
    ProcessPool other({.workers = 1});
    EXPECT_EQ(other.submit(twice, 1).get(), 2);
    make();
    auto future = pool().submit([theirs = &other] { return theirs->submit(twice, 2).get(); });
    EXPECT_EQ(caught<RemoteError>([&] { future.get(); }).type_name(), "hardwork::WrongProcess");
    auto mapped = pool().submit([theirs = &other] { theirs->for_each(twice, range(0, 3)); });
    EXPECT_EQ(caught<RemoteError>([&] { mapped.get(); }).type_name(), "hardwork::WrongProcess");
    innocents(10);
    EXPECT_EQ(other.submit(twice, 2).get(), 4);
}

// One throws, one submits, one ends the pool: nothing dies.
TEST_F(C2, CallbacksThatMisbehave) {
    make();
    std::atomic<int> said{0};
    std::atomic<int> value{0};
    auto first = pool().submit(twice, 1);
    first.on_done([&] {
        ++said;
        throw std::runtime_error("a callback");
    });
    auto second = pool().submit(twice, 2);
    second.on_done([&] {
        auto inner = pool().submit(twice, 20);
        value = inner.get();
        ++said;
    });
    EXPECT_TRUE(eventually([&] { return said.load() == 2; }));
    EXPECT_EQ(value.load(), 40);
    innocents(10);
}

// Submits and cancels tasks first to first + count; true in `cancelled` for those that never may run.
void cancel_at_every_moment(ProcessPool& pool, const std::string& path, int first, int count, char* cancelled) {
    std::mt19937 dice(static_cast<unsigned>(first));
    std::vector<Future<int>> futures;
    for (int i = 0; i < count; ++i) {
        futures.push_back(pool.submit(note, path, first + i));
        const std::size_t back = dice() % 30;
        if (dice() % 2 == 0 && back < futures.size()) {
            const std::size_t victim = futures.size() - 1 - back;
            if (cancelled[victim] == 0 && futures[victim].cancel()) cancelled[victim] = 1;
        }
    }
    for (std::size_t i = 0; i < futures.size(); ++i) {
        const auto result = futures[i].try_get();
        if (cancelled[i] != 0) {
            EXPECT_TRUE(!result && result.error().kind() == FailureKind::cancelled) << i;
        } else {
            EXPECT_EQ(result.value(), first + static_cast<int>(i));
        }
    }
}

// What was cancelled never runs, whatever eight threads submit, cancel and read.
TEST_F(C3, CancelledAtEveryMoment) {
    make();
    constexpr int kThreads = 8;
    constexpr int kEach = kThreadSanitizer || kAddressSanitizer ? 2'500 : 12'500;
    const std::string path = path_ + ".ran";
    std::vector<char> cancelled(kThreads * kEach);
    std::vector<std::thread> threads;
    for (int i = 0; i < kThreads; ++i) {
        threads.emplace_back(
            [&, i] { cancel_at_every_moment(pool(), path, i * kEach, kEach, cancelled.data() + i * kEach); });
    }
    for (std::thread& thread : threads)
        thread.join();
    std::vector<int> ran = notes(path);
    std::sort(ran.begin(), ran.end());
    EXPECT_EQ(std::adjacent_find(ran.begin(), ran.end()), ran.end());
    for (const int i : ran)
        EXPECT_EQ(cancelled[static_cast<std::size_t>(i)], 0) << i;
    std::filesystem::remove(path);
}

// It ends, and what was not cancelled has run once.
TEST_F(C4, ShutdownFromTwoThreadsDuringARespawn) {
    make();
    broken_ = true;
    std::vector<Future<int>> futures;
    for (int i = 0; i < 100; ++i)
        futures.push_back(pool().submit(note, path_, i));
    auto lost = pool().submit(die_by, SIGKILL);
    std::thread other([&] { pool().shutdown(); });
    pool().shutdown();
    other.join();
    EXPECT_THROW(lost.get(), WorkerDied);
    for (int i = 0; i < 100; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
    EXPECT_EQ(notes(path_).size(), 100U);
}

// No deadlock, and every result to who asked.
TEST_F(C5, FromManyThreads) {
    make();
    std::atomic<int> wrong{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 64; ++i) {
        threads.emplace_back([&, i] {
            for (int x = 1000 * i; x < 1000 * i + 50; ++x) {
                if (pool().submit(twice, x).get() != 2 * x) ++wrong;
            }
        });
    }
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(wrong.load(), 0);
}

// Its workers are gone when the pool goes out of scope with work pending; the Futures finish.
TEST_F(C6, DestroyedWithWorkPending) {
    std::vector<Future<int>> futures;
    {
        ProcessPool some({.workers = 2});
        for (int i = 0; i < 50; ++i)
            futures.push_back(some.submit(nap, 1));
    }
    for (auto& future : futures)
        EXPECT_EQ(future.get(), 1);
}

std::atomic<int> signals{0};
void count_signal(int) { ++signals; }

// Handlers of the program's run at any moment of any call: no deadlock, and nothing is lost. (They may not call the pool
// themselves, as hardly anything may be called there.)
TEST_F(C5, WhileSignalsAreHandled) {
    make();
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = count_signal;
    sigaction(SIGALRM, &action, &before);
    const itimerval often{{0, 500}, {0, 500}};
    setitimer(ITIMER_REAL, &often, nullptr);
    std::vector<Future<int>> futures;
    for (int i = 0; i < 20'000; ++i)
        futures.push_back(pool().submit(twice, i));
    EXPECT_EQ(pool().submit(nap, 100).get(), 100);
    for (int i = 0; i < 20'000; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), 2 * i);
    int next = 0;
    for (const int x : pool().map(twice, range(0, 100'000)))
        ASSERT_EQ(x, 2 * next++);
    const itimerval never{};
    setitimer(ITIMER_REAL, &never, nullptr);
    sigaction(SIGALRM, &before, nullptr);
    EXPECT_GT(signals.load(), 10);
}

}  // namespace
}  // namespace hardwork::test
