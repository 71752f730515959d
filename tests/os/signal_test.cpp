#include "os/signal.hpp"

#include <pthread.h>
#include <sys/socket.h>

#include <cstdio>

#include "os/disposition.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::Child;

bool is_blocked(int signal) {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    return sigismember(&mask, signal) == 1;
}

void (*handler_of(int signal))(int) {
    struct sigaction action {};
    sigaction(signal, nullptr, &action);
    return action.sa_handler;
}

void some_handler(int) {}

// Each test changes what signals do, so each does it in a process of its own. 0 is success, else the failed line.
#define CHECK_IN_CHILD(condition)                 \
    do {                                          \
        if (!(condition)) return __LINE__ & 0x7f; \
    } while (false)

TEST(Signals, InterruptsAreIgnored) {
    Child child([] {
        ignore_interrupts();
        raise(SIGINT);
        return 3;
    });
    EXPECT_EQ(child.wait(), 3);
}

TEST(Signals, ABrokenPipeIsAnError) {
    Child child([] {
        ignore_pipe();
        int ends[2];
        CHECK_IN_CHILD(pipe(ends) == 0);
        close(ends[0]);
        CHECK_IN_CHILD(write(ends[1], "x", 1) == -1 && errno == EPIPE);
        return 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Signals, ResetPutsEverythingBackToDefault) {
    Child child([] {
        signal(SIGTERM, some_handler);
        signal(SIGHUP, SIG_IGN);
        signal(SIGRTMIN + 1, some_handler);
        block_all_signals();
        reset_signals();
        CHECK_IN_CHILD(handler_of(SIGTERM) == SIG_DFL);
        CHECK_IN_CHILD(handler_of(SIGHUP) == SIG_DFL);
        CHECK_IN_CHILD(handler_of(SIGRTMIN + 1) == SIG_DFL);
        CHECK_IN_CHILD(!is_blocked(SIGTERM) && !is_blocked(SIGUSR1) && !is_blocked(SIGRTMAX));
        return 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Signals, AResetProcessCanBeTerminated) {
    Child child([]() -> int {
        signal(SIGTERM, SIG_IGN);
        block_all_signals();
        reset_signals();
        raise(SIGTERM);
        return 0;
    });
    EXPECT_EQ(child.wait(), 128 + SIGTERM);
}

TEST(Signals, BlockedAndUnblocked) {
    Child child([] {
        block_all_signals();
        CHECK_IN_CHILD(is_blocked(SIGTERM) && is_blocked(SIGINT) && is_blocked(SIGRTMAX));
        raise(SIGTERM);  // stays pending
        signal(SIGTERM, SIG_IGN);
        unblock_all_signals();
        CHECK_IN_CHILD(!is_blocked(SIGTERM) && !is_blocked(SIGINT));
        return 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Signals, OomScoreIsRaised) {
    Child child([] {
        raise_oom_score(300);
        std::FILE* file = std::fopen("/proc/self/oom_score_adj", "re");
        if (file == nullptr) return 100;
        int score = 0;
        const bool read = std::fscanf(file, "%d", &score) == 1;
        std::fclose(file);
        CHECK_IN_CHILD(read && score >= 300);
        return 0;
    });
    const int code = child.wait();
    if (code == 100) GTEST_SKIP() << "no /proc";
    EXPECT_EQ(code, 0);
}

TEST(Disposition, IsTakenBackExactly) {
    Child child([] {
        struct sigaction own {};
        own.sa_handler = some_handler;
        own.sa_flags = SA_RESTART | SA_NODEFER;
        sigaddset(&own.sa_mask, SIGHUP);
        sigaction(SIGUSR1, &own, nullptr);
        const Disposition ignored = Disposition::ignored(SIGUSR1);
        CHECK_IN_CHILD(handler_of(SIGUSR1) == SIG_IGN);
        raise(SIGUSR1);
        ignored.restore();
        struct sigaction after {};
        sigaction(SIGUSR1, nullptr, &after);
        CHECK_IN_CHILD(after.sa_handler == some_handler);
        CHECK_IN_CHILD((after.sa_flags & (SA_RESTART | SA_NODEFER)) == (SA_RESTART | SA_NODEFER));
        CHECK_IN_CHILD(sigismember(&after.sa_mask, SIGHUP) == 1);
        const Disposition defaulted = Disposition::defaulted(SIGUSR1);
        CHECK_IN_CHILD(handler_of(SIGUSR1) == SIG_DFL);
        defaulted.restore();
        CHECK_IN_CHILD(handler_of(SIGUSR1) == some_handler);
        return 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Disposition, IsNotTakenBackByItself) {
    Child child([] {
        signal(SIGUSR1, some_handler);
        static_cast<void>(Disposition::ignored(SIGUSR1));
        CHECK_IN_CHILD(handler_of(SIGUSR1) == SIG_IGN);
        return 0;
    });
    EXPECT_EQ(child.wait(), 0);
}

TEST(Disposition, OfASignalThatCannotBeChangedDoesNothing) {
    const Disposition kill = Disposition::ignored(SIGKILL);
    kill.restore();
    const Disposition nonsense = Disposition::defaulted(-5);
    nonsense.restore();
}

}  // namespace
}  // namespace hardwork::os
