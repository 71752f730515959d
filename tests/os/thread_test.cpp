#include "os/thread.hpp"

#include <pthread.h>

#include <cstring>
#include <memory>
#include <string>

#include "base/atomic.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

TEST(Thread, RunsItsBodyAndIsJoined) {
    bool ran = false;
    Thread thread;
    EXPECT_FALSE(thread.joinable());
    ASSERT_TRUE(thread.start("runs", [&] { ran = true; }));
    EXPECT_TRUE(thread.joinable());
    thread.join();
    EXPECT_FALSE(thread.joinable());
    EXPECT_TRUE(ran);
    thread.join();  // a second one does nothing
}

TEST(Thread, CanBeStartedAgainAfterJoin) {
    int runs = 0;
    Thread thread;
    for (int i = 0; i < 3; ++i) {
        ASSERT_TRUE(thread.start("again", [&] { ++runs; }));
        thread.join();
    }
    EXPECT_EQ(runs, 3);
}

TEST(Thread, HasItsName) {
    for (const std::string name : {"short", "exactly-15-char", "much longer than fifteen characters"}) {
        char seen[32] = {};
        Thread thread;
        Atomic<bool> started{false};
        ASSERT_TRUE(thread.start(name.c_str(), [&] {
            while (!started)  // start() gives the name when the thread runs already
                usleep(100);
            pthread_getname_np(pthread_self(), seen, sizeof seen);
        }));
        started = true;
        thread.join();
        EXPECT_EQ(seen, name.substr(0, 15));
    }
}

TEST(Thread, TakesNoSignals) {
    sigset_t outside_before;
    pthread_sigmask(SIG_SETMASK, nullptr, &outside_before);
    sigset_t inside;
    sigemptyset(&inside);
    Thread thread;
    ASSERT_TRUE(thread.start("quiet", [&] { pthread_sigmask(SIG_SETMASK, nullptr, &inside); }));
    thread.join();
    for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGPIPE, SIGALRM, SIGRTMIN, SIGRTMAX}) {
        EXPECT_EQ(sigismember(&inside, signal), 1) << signal;
    }
    sigset_t outside_after;
    pthread_sigmask(SIG_SETMASK, nullptr, &outside_after);
    for (int signal = 1; signal < 32; ++signal) {
        EXPECT_EQ(sigismember(&outside_before, signal), sigismember(&outside_after, signal)) << signal;
    }
}

TEST(Thread, HasAStackThatIsDeepEnoughForPython) {
    std::size_t size = 0;
    Thread thread;
    ASSERT_TRUE(thread.start("stack", [&] {
        pthread_attr_t attributes;
        if (pthread_getattr_np(pthread_self(), &attributes) != 0) return;
        void* at = nullptr;
        pthread_attr_getstack(&attributes, &at, &size);
        pthread_attr_destroy(&attributes);
    }));
    thread.join();
    EXPECT_GE(size, std::size_t{7} << 20);
}

TEST(Thread, KnowsWhetherItIsTheCurrentOne) {
    Thread thread;
    Atomic<bool> started{false};
    bool inside = false;
    EXPECT_FALSE(thread.is_current());
    ASSERT_TRUE(thread.start("self", [&] {
        while (!started)
            usleep(100);
        inside = thread.is_current();
    }));
    EXPECT_FALSE(thread.is_current());
    started = true;
    thread.join();
    EXPECT_TRUE(inside);
}

TEST(Thread, ADetachedOneRunsOn) {
    struct Shared {
        Atomic<bool> go{false};
        Atomic<bool> done{false};
    };
    const auto shared = std::make_shared<Shared>();
    {
        Thread thread;
        ASSERT_TRUE(thread.start("detached", [shared] {
            while (!shared->go)
                usleep(100);
            shared->done = true;
        }));
        thread.detach();
        EXPECT_FALSE(thread.joinable());
    }
    shared->go = true;
    EXPECT_TRUE(testing::eventually([&] { return shared->done.load(); }));
}

TEST(Thread, TheBodyIsGoneAfterJoin) {
    const auto held = std::make_shared<int>(1);
    Thread thread;
    ASSERT_TRUE(thread.start("holds", [held] {}));
    thread.join();
    EXPECT_EQ(held.use_count(), 1);
}

TEST(Thread, ForgettingItEndsTheProgram) {
    testing::Child child([] {
        signal(SIGABRT, SIG_DFL);
        Atomic<bool> stop{false};
        {
            Thread thread;
            thread.start("forgotten", [&] {
                while (!stop)
                    usleep(1000);
            });
        }
        return 0;
    });
    EXPECT_EQ(child.wait(), 128 + SIGABRT);
}

}  // namespace
}  // namespace hardwork::os
