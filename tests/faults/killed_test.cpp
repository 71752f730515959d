// W1 to W9: a worker dies, in every phase and in every way.
#include <cstdlib>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

constexpr int kDeadly[] = {SIGKILL, SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGTERM};

int take(const DiesDecoded&) { return 1; }
DiesEncoded give(int number) { return {number}; }

int wait_for_file(const std::string& path) {
    note(path + ".entered", getpid());
    while (!std::filesystem::exists(path))
        std::this_thread::sleep_for(1ms);
    return 1;
}

std::vector<char> large(const std::string& path) {
    note(path, getpid());
    return std::vector<char>(300'000'000, 'x');
}

// By then its result is published; ThreadSanitizer may need a while for 10 MB.
#ifdef __SANITIZE_THREAD__
constexpr auto kPublishedBy = 2s;
#else
constexpr auto kPublishedBy = 200ms;
#endif

std::string answer_and_die(int size) {
    std::thread([] {
        std::this_thread::sleep_for(kPublishedBy);
        die_by(SIGKILL);
    }).detach();
    return std::string(static_cast<std::size_t>(size), 'y');
}

int die_at_exit(int x) {
    std::atexit([] { die_by(SIGKILL); });
    return x;
}

int leave_as_c_does(int code) { std::exit(code); }

using W01 = FaultTest;
using W02 = FaultTest;
using W03 = FaultTest;
using W04 = FaultTest;
using W05 = FaultTest;
using W06 = FaultTest;
using W07 = FaultTest;
using W08 = FaultTest;
using W09 = FaultTest;

// No future fails, and the worker is replaced. (A sanitizer's handler turns the signal into an exit: what matters here is
// that they end.)
TEST_F(W01, AllKilledWhileIdle) {
    make();
    for (const int number : kDeadly) {
        const auto pids = warm();
        for (const auto pid : pids)
            kill(pid, number);
        EXPECT_TRUE(eventually([&] { return kill(pids[0], 0) != 0 && kill(pids[1], 0) != 0; })) << number;
        innocents(20);
    }
}

// The same.
TEST_F(W01, OneKilledWhileIdle) {
    make();
    for (const int number : kDeadly) {
        const auto pids = warm();
        kill(pids[1], number);
        innocents(20);
        EXPECT_TRUE(eventually([&] { return kill(pids[1], 0) != 0; })) << number;
        EXPECT_EQ(kill(pids[0], 0), 0);
        innocents(20);
    }
}

// What the worker had been given and not started runs once, in another.
TEST_F(W02, KilledWithTasksNotStarted) {
    make();
    const std::string gate = path_ + ".gate";
    std::vector<Future<int>> holding;
    for (int i = 0; i < 2; ++i)
        holding.push_back(pool().submit(wait_for_file, gate));
    EXPECT_TRUE(eventually([&] { return notes(gate + ".entered").size() == 2; }));
    innocents(200);
    for (const int pid : notes(gate + ".entered"))
        kill(pid, SIGKILL);
    for (auto& future : holding)
        expect_killed(std::move(future), SIGKILL);
    std::filesystem::remove(gate + ".entered");
}

// That future only: WorkerDied in phase decode.
TEST_F(W03, KilledWhileDecoding) {
    make();
    for (const int number : kDeadly) {
        innocents(10);
        expect_killed(pool().submit(take, DiesDecoded{number}), number, Phase::decode);
    }
    innocents(10);
}

// That future only: WorkerDied in phase run.
TEST_F(W04, KilledWhileRunning) {
    make();
    for (const int number : kDeadly) {
        innocents(10);
        expect_killed(pool().submit(die_by, number), number);
    }
    innocents(10);
}

// That future only; the phase says that it ran, and its result is lost.
TEST_F(W05, KilledWhileEncoding) {
    make();
    for (const int number : kDeadly) {
        innocents(10);
        expect_killed(pool().submit(give, number), number, Phase::encode);
    }
    innocents(10);
}

// A result that is half there is never decoded: either it is whole, or it is WorkerDied.
TEST_F(W06, KilledDuringALargeResult) {
    make();
    for (const auto pause : {0ms, 5ms, 20ms, 60ms}) {
        const std::string begun = path_ + ".begun";
        auto future = pool().submit(large, begun);
        EXPECT_TRUE(eventually([&] { return !notes(begun).empty(); }));
        std::this_thread::sleep_for(pause);
        kill(notes(begun)[0], SIGKILL);
        try {
            const auto bytes = future.get();
            EXPECT_EQ(bytes.size(), 300'000'000U);
            EXPECT_EQ(std::count(bytes.begin(), bytes.end(), 'x'), 300'000'000);
        } catch (const WorkerDied& error) {
            EXPECT_GE(error.phase(), Phase::run);
        }
        std::filesystem::remove(begun);
        innocents(10);
    }
}

// The result stands, also a large one that lies in the dead worker's memory.
TEST_F(W07, KilledAfterPublishing) {
    make({.workers = 1});
    for (const int size : {10, 10'000'000}) {
        const int pid = pool().submit(worker_pid).get();
        auto future = pool().submit(answer_and_die, size);
        EXPECT_TRUE(eventually([&] { return kill(pid, 0) != 0; }));
        EXPECT_EQ(future.get(), std::string(static_cast<std::size_t>(size), 'y'));
    }
}

// All results stand, and the pool ends.
TEST_F(W08, DiesInAtexit) {
    make();
    for (int i = 0; i < 4; ++i)
        EXPECT_EQ(pool().submit(die_at_exit, i).get(), i);
    innocents(20);
}

// As a crash, with the exit code in the error.
TEST_F(W09, Exits) {
    make();
    for (const int code : {0, 3}) {
        innocents(10);
        expect_death(pool().submit(leave_with, code), ExitStatus::Kind::exited, code, Phase::run);
        expect_death(pool().submit(leave_as_c_does, code), ExitStatus::Kind::exited, code, Phase::run);
    }
    innocents(10);
}

// The same, in phases decode and encode.
TEST_F(W09, ExitsWhileDecodingOrEncoding) {
    make();
    for (const int code : {0, 3}) {
        innocents(10);
        expect_death(pool().submit(take, DiesDecoded{-1 - code}), ExitStatus::Kind::exited, code, Phase::decode);
        expect_death(pool().submit(give, -1 - code), ExitStatus::Kind::exited, code, Phase::encode);
    }
    innocents(10);
}

}  // namespace
}  // namespace hardwork::test
