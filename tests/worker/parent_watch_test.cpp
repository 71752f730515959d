#include "worker/parent_watch.hpp"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "os/stream.hpp"
#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using testing::Board;
using testing::Do;
using testing::eventually;
using testing::LaneParent;

// Threads of that name: sanitizers have threads of their own.
int watches_here() {
    int count = 0;
    for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::getline(std::ifstream(task.path() / "comm"), name);
        if (name == "hardwork-watch") ++count;
    }
    return count;
}

// A thread that was joined may be seen a moment longer.
bool no_watch_is_left() {
    return eventually([] { return watches_here() == 0; });
}

// Orphans become children of the test, so that it learns how they ended.
class Orphans : public ::testing::Test {
  protected:
    void SetUp() override { ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 1), 0); }
    void TearDown() override {
        prctl(PR_SET_CHILD_SUBREAPER, 0);
        munmap(board_, 4096);
    }

    static pid_t forked(const std::function<int()>& body) {
        const pid_t pid = fork();
        if (pid == 0) {
            alarm(60);  // its default action ends the process
            _exit(body());
        }
        return pid;
    }
    // The exit code, or 128 + signal. Ends with the test's alarm at the latest.
    static int end_of(pid_t pid) {
        int status = 0;
        while (waitpid(pid, &status, 0) < 0) {
            if (errno != EINTR) return -1;
        }
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }
    // A parent that waits to be killed, with one child that runs `body` with the parent's pidfd.
    void make_family(const std::function<int(int parent_fd)>& body) {
        parent_ = forked([&] {
            auto self = os::open_pidfd(os::self_pid());
            if (!self) return 1;
            const int parent_fd = self.value().get();
            board_->pid.store(forked([&] { return body(parent_fd); }));
            for (;;)
                pause();
        });
    }
    void kill_parent() {
        kill(parent_, SIGKILL);
        EXPECT_EQ(end_of(parent_), 128 + SIGKILL);
    }
    bool reached(std::uint32_t step) const {
        return eventually([&] { return board_->runs.load() == step && board_->pid.load() != 0; });
    }
    int end_of_child() const { return end_of(board_->pid.load()); }
    void expect_end_with_parent() {
        ASSERT_TRUE(reached(1));
        kill_parent();
        EXPECT_EQ(end_of_child(), 128 + SIGKILL);
    }
    void step(std::uint32_t number) const { board_->runs.store(number); }
    void wait_for_go(std::uint32_t number) const {
        while (board_->go.load() < number)
            usleep(200);
    }

    Board* board_ = testing::make_board();
    pid_t parent_ = -1;
};

TEST_F(Orphans, AreKilledByTheirWatch) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd)) return 1;
        step(1);
        wait_for_go(1);
        return 2;
    });
    expect_end_with_parent();
}

// A parent that executes another program does not end; what it held with close-on-exec is closed.
TEST_F(Orphans, AreKilledWhenThePipeHangsUp) {
    auto ends = os::make_pipe();
    ASSERT_TRUE(ends);
    auto self = os::open_pidfd(os::self_pid());
    ASSERT_TRUE(self);
    const pid_t child = forked([&] {
        ends.value().writer.reset();
        if (!start_parent_watch(self.value().get(), ends.value().reader.get())) return 1;
        step(1);
        wait_for_go(1);
        return 2;
    });
    EXPECT_TRUE(eventually([&] { return board_->runs.load() == 1; }));
    ends.value().writer.reset();
    EXPECT_EQ(end_of(child), 128 + SIGKILL);
}

TEST_F(Orphans, LiveOnWhenATaskClosesThePipe) {
    auto ends = os::make_pipe();
    ASSERT_TRUE(ends);
    auto self = os::open_pidfd(os::self_pid());
    ASSERT_TRUE(self);
    const pid_t child = forked([&] {
        ends.value().writer.reset();
        if (!start_parent_watch(self.value().get(), ends.value().reader.get())) return 1;
        pause_parent_watch();  // as around a fork: it looks anew at what there is
        ends.value().reader.reset();
        resume_parent_watch();
        step(1);
        wait_for_go(1);
        return 2;
    });
    EXPECT_TRUE(eventually([&] { return board_->runs.load() == 1; }));
    ends.value().writer.reset();
    board_->go.store(1);
    EXPECT_EQ(end_of(child), 2);
}

class WorkerOrphans : public Orphans, public ::testing::WithParamInterface<Do> {};
INSTANTIATE_TEST_SUITE_P(Busy, WorkerOrphans, ::testing::Values(Do::spins, Do::hold, Do::echo));

TEST_P(WorkerOrphans, DieWithTheParent) {
    Board* theirs = nullptr;
    parent_ = forked([&] {
        LaneParent parent;
        theirs = &parent.board;
        parent.start();
        parent.push_task(1, GetParam(), static_cast<std::uint64_t>(Phase::run));
        parent.publish();
        if (!eventually([&] { return theirs->runs.load() == 1; })) return 1;
        if (GetParam() == Do::echo && !parent.phase_becomes(Phase::idle)) return 1;
        board_->pid.store(theirs->pid.load());
        step(1);
        for (;;)
            pause();
    });
    expect_end_with_parent();
}

TEST_F(Orphans, LiveOnAfterStopping) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd) || watches_here() != 1) return 1;
        stop_parent_watch();
        stop_parent_watch();
        if (!no_watch_is_left()) return 2;
        step(1);
        wait_for_go(1);
        return 17;
    });
    ASSERT_TRUE(reached(1));
    kill_parent();
    board_->go.store(1);
    EXPECT_EQ(end_of_child(), 17);
}

TEST_F(Orphans, APausedWatchIsNoThreadAndSeesTheDeathWhenItResumes) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd)) return 1;
        if (watches_here() != 1) return 2;
        for (int i = 0; i < 5; ++i) {
            pause_parent_watch();
            pause_parent_watch();
            if (!no_watch_is_left()) return 3;
            resume_parent_watch();
            resume_parent_watch();
            if (watches_here() != 1) return 4;
        }
        pause_parent_watch();
        step(1);
        wait_for_go(1);  // the parent is dead by now
        step(2);
        resume_parent_watch();
        wait_for_go(2);
        return 5;
    });
    ASSERT_TRUE(reached(1));
    kill_parent();
    board_->go.store(1);
    EXPECT_TRUE(reached(2)) << "killed while paused";
    EXPECT_EQ(end_of_child(), 128 + SIGKILL);
}

// Ways to take descriptors away, or to put others there.
void close_all() {
    for (int fd = 3; fd < 256; ++fd)
        close(fd);
}
void replace_all() {
    const int other = memfd_create("other", 0);
    for (int fd = 3; fd < 64; ++fd) {
        if (fd != other) dup2(other, fd);
    }
}

class MeddledOrphans : public Orphans, public ::testing::WithParamInterface<void (*)()> {
#if defined(__SANITIZE_THREAD__)
  protected:
    // It ends a process that closes what another thread polls, and it is right, but for those who do it on purpose.
    void SetUp() override { GTEST_SKIP() << "ThreadSanitizer sees the race that this is about"; }
#endif
};
INSTANTIATE_TEST_SUITE_P(Descriptors, MeddledOrphans, ::testing::Values(close_all, replace_all));

TEST_P(MeddledOrphans, AreWatchedAllTheSame) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd)) return 1;
        GetParam()();
        step(1);
        wait_for_go(1);
        return 2;
    });
    expect_end_with_parent();
}

TEST_P(MeddledOrphans, AreWatchedAgainAfterAPause) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd)) return 1;
        GetParam()();
        pause_parent_watch();
        if (!no_watch_is_left()) return 3;
        resume_parent_watch();
        usleep(20'000);
        if (watches_here() != 1) return 4;
        step(1);
        wait_for_go(1);
        return 2;
    });
    expect_end_with_parent();
}

TEST_F(Orphans, AForkedChildOfTheWorkerHasNoWatch) {
    make_family([&](int parent_fd) {
        if (!start_parent_watch(parent_fd)) return 1;
        pause_parent_watch();
        const pid_t child = forked([&] {
            resume_parent_watch();
            if (watches_here() != 0) return 22;
            pause_parent_watch();
            stop_parent_watch();
            return 21;
        });
        resume_parent_watch();
        const int code = end_of(child);
        stop_parent_watch();
        return code;
    });
    ASSERT_TRUE(eventually([&] { return board_->pid.load() != 0; }));
    // The child ends by itself; its parent never reaps, so it is the test's once that is gone.
    const pid_t child = board_->pid.load();
    auto pidfd = os::open_pidfd(child);
    ASSERT_TRUE(pidfd);
    EXPECT_TRUE(eventually([&] { return os::has_ended(pidfd.value()); }));
    kill_parent();
    EXPECT_EQ(end_of(child), 21);
}

TEST(ParentWatch, PausingWhatNeverBeganDoesNothing) {
    pause_parent_watch();
    resume_parent_watch();
    EXPECT_EQ(watches_here(), 0);
    stop_parent_watch();
    EXPECT_EQ(watches_here(), 0);
}

}  // namespace
}  // namespace hardwork
