#include "os/poll.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/atomic.hpp"
#include "os/futex.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::in_ms;

struct Pipe {
    Pipe() {
        int ends[2] = {-1, -1};
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        out = Fd(ends[0]);
        in = Fd(ends[1]);
    }
    void fill() { EXPECT_EQ(write(in.get(), "x", 1), 1); }
    void drain() {
        char byte;
        EXPECT_EQ(read(out.get(), &byte, 1), 1);
    }
    Fd out;
    Fd in;
};

Poller make_poller() {
    auto poller = Poller::create();
    EXPECT_TRUE(poller);
    return poller.take();
}

TEST(Poller, GivesTheTokenOfWhatIsReady) {
    Poller poller = make_poller();
    Pipe first;
    Pipe second;
    ASSERT_TRUE(poller.add(first.out.get(), 0xfeedfacecafe));
    ASSERT_TRUE(poller.add(second.out.get(), 2));
    std::uint64_t tokens[4] = {};
    EXPECT_EQ(poller.wait(tokens, now_ns()), 0U);
    first.fill();
    ASSERT_EQ(poller.wait(tokens, kNoDeadline), 1U);
    EXPECT_EQ(tokens[0], 0xfeedfacecafeU);
    ASSERT_EQ(poller.wait(tokens, kNoDeadline), 1U) << "level triggered: still readable";
    second.fill();
    ASSERT_EQ(poller.wait(tokens, kNoDeadline), 2U);
    EXPECT_EQ(tokens[0] + tokens[1], 0xfeedfacecafeU + 2);
    first.drain();
    ASSERT_EQ(poller.wait(tokens, kNoDeadline), 1U);
    EXPECT_EQ(tokens[0], 2U);
    poller.remove(second.out.get());
    EXPECT_EQ(poller.wait(tokens, now_ns()), 0U);
}

TEST(Poller, MoreReadyThanRoomComesInTurns) {
    Poller poller = make_poller();
    std::vector<Pipe> pipes(50);
    for (std::size_t i = 0; i < pipes.size(); ++i) {
        ASSERT_TRUE(poller.add(pipes[i].out.get(), i));
        pipes[i].fill();
    }
    std::vector<bool> seen(pipes.size());
    std::vector<std::uint64_t> tokens(40);
    EXPECT_TRUE(testing::eventually([&] {
        const std::size_t count = poller.wait(tokens, in_ms(1000));
        EXPECT_LE(count, tokens.size());
        for (std::size_t i = 0; i < count; ++i)
            seen.at(tokens[i]) = true;
        return std::all_of(seen.begin(), seen.end(), [](bool s) { return s; });
    }));
}

TEST(Poller, HangUpIsReadable) {
    Poller poller = make_poller();
    Pipe pipe;
    ASSERT_TRUE(poller.add(pipe.out.get(), 6));
    pipe.in.reset();
    std::uint64_t token[1];
    EXPECT_EQ(poller.wait(token, kNoDeadline), 1U);
    EXPECT_EQ(token[0], 6U);
}

TEST(Poller, ABadDescriptorIsAnError) {
    Poller poller = make_poller();
    const Status added = poller.add(-1, 0);
    ASSERT_FALSE(added);
    EXPECT_EQ(added.error().sys_errno, EBADF);
    poller.remove(-1);
}

TEST(Poller, ADeadlineIsNeverEarly) {
    Poller poller = make_poller();
    std::uint64_t token[1];
    for (const std::uint64_t ns : {1'000ULL, 1'500'000ULL, 20'300'000ULL}) {
        const std::uint64_t deadline = now_ns() + ns;
        EXPECT_EQ(poller.wait(token, deadline), 0U);
        EXPECT_GE(now_ns(), deadline);
    }
}

TEST(Poller, SeesADeath) {
    Poller poller = make_poller();
    testing::Child child([]() -> int {
        for (;;)
            pause();
    });
    auto pidfd = open_pidfd(child.pid());
    ASSERT_TRUE(pidfd);
    ASSERT_TRUE(poller.add(pidfd.value().get(), 99));
    std::uint64_t token[1] = {};
    EXPECT_EQ(poller.wait(token, in_ms(2)), 0U);
    child.kill();
    EXPECT_EQ(poller.wait(token, now_ns() + testing::kLongNs), 1U);
    EXPECT_EQ(token[0], 99U);
}

// Sends signals to this thread while `wait` runs. `wait` must outlast them; true if it did.
template <class Wait>
void under_signals(Wait wait) {
    const testing::Interrupting usr1(SIGUSR1);
    Atomic<bool> done{false};
    const pthread_t waiter = pthread_self();
    std::thread sender([&] {
        while (!done.load()) {
            pthread_kill(waiter, SIGUSR1);
            usleep(1'000);
        }
    });
    wait();
    done = true;
    sender.join();
}

TEST(Poller, SignalsDoNotShortenTheWait) {
    Poller poller = make_poller();
    under_signals([&] {
        std::uint64_t token[1];
        const std::uint64_t deadline = in_ms(30);
        EXPECT_EQ(poller.wait(token, deadline), 0U);
        EXPECT_GE(now_ns(), deadline);
    });
}

TEST(WaitReadable, SignalsDoNotShortenTheWait) {
    Pipe pipe;
    under_signals([&] {
        const std::uint64_t deadline = in_ms(30);
        EXPECT_FALSE(wait_readable(pipe.out.get(), deadline));
        EXPECT_GE(now_ns(), deadline);
    });
}

TEST(WaitReadable, DataHangUpAndDeadline) {
    Pipe pipe;
    EXPECT_FALSE(wait_readable(pipe.out.get(), 0));
    const std::uint64_t deadline = in_ms(3);
    EXPECT_FALSE(wait_readable(pipe.out.get(), deadline));
    EXPECT_GE(now_ns(), deadline);
    pipe.fill();
    EXPECT_TRUE(wait_readable(pipe.out.get(), 0)) << "readable counts even when the deadline has passed";
    EXPECT_TRUE(wait_readable(pipe.out.get(), kNoDeadline));
    pipe.drain();
    pipe.in.reset();
    EXPECT_TRUE(wait_readable(pipe.out.get(), kNoDeadline));
}

// In a child, with the limit of open files below what is looked at: poll(2) refuses that.
int look_with_no_files_allowed(bool end_parent, bool end_program) {
    int parent[2];
    int program[2];
    if (pipe(parent) != 0 || pipe(program) != 0) return 90;
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 0;
    if (setrlimit(RLIMIT_NOFILE, &limit) != 0) return 91;
    if (end_parent) close(parent[1]);
    if (end_program) close(program[1]);
    return static_cast<int>(wait_readable_or_hung_up(parent[0], program[0]));
}

TEST(WaitReadableOrHungUp, AlsoWhereALimitAllowsNoFiles) {
    for (const bool parent : {true, false}) {
        testing::Child child([=] { return look_with_no_files_allowed(parent, !parent); });
        EXPECT_EQ(child.wait(), static_cast<int>(parent ? Woken::readable : Woken::hung_up));
    }
}

TEST(Notifier, WakesAPollerFromAnotherThread) {
    Poller poller = make_poller();
    auto notifier = Notifier::create();
    ASSERT_TRUE(notifier);
    EXPECT_TRUE(testing::is_close_on_exec(notifier.value().fd()));
    ASSERT_TRUE(poller.add(notifier.value().fd(), 5));
    std::uint64_t token[1] = {};
    std::thread other([&] {
        usleep(3'000);
        notifier.value().notify();
    });
    EXPECT_EQ(poller.wait(token, now_ns() + testing::kLongNs), 1U);
    EXPECT_EQ(token[0], 5U);
    other.join();
    for (int i = 0; i < 3; ++i)
        notifier.value().notify();
    notifier.value().clear();
    EXPECT_EQ(poller.wait(token, now_ns()), 0U) << "cleared at once, however often it was rung";
    notifier.value().clear();  // nothing to clear: must not block
    notifier.value().notify();
    EXPECT_EQ(poller.wait(token, kNoDeadline), 1U);
}

}  // namespace
}  // namespace hardwork::os
