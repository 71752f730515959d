// The template ends, stops, comes too late: nobody dies with it and no birth is lost or doubled.
#include <fcntl.h>

#include <random>
#include <thread>

#include "os/poll.hpp"
#include "supervisor_fixture.hpp"

namespace hardwork::testing {
namespace {

constexpr std::uint64_t kMs = 1'000'000;

// Memory that the test and all its processes share.
template <class T>
class Shared {
  public:
    Shared() {
        void* at = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        EXPECT_NE(at, MAP_FAILED);
        value_ = new (at) T();
    }
    Shared(const Shared&) = delete;
    Shared& operator=(const Shared&) = delete;
    ~Shared() { munmap(value_, sizeof(T)); }
    T& operator*() { return *value_; }

  private:
    T* value_;
};

class TemplateTest : public SupervisorTest {};

TEST_F(TemplateTest, KilledWithWorkersBusy) {
    ASSERT_EQ(prctl(PR_SET_CHILD_SUBREAPER, 0), 0);
    start();
    request(1, "deaf");
    request(2, "deaf");
    const auto first = at_work(1);
    const auto second = at_work(2);
    ASSERT_EQ(kill(source_.template_pid, SIGKILL), 0);
    request(3, "exit 6");
    expect_exit(death(3), 6);
    EXPECT_EQ(source_.starts, 2);
    EXPECT_EQ(record_.count(Event::Kind::death, 1), 0U);
    EXPECT_EQ(kill(first.pid, 0), 0);
    EXPECT_EQ(kill(second.pid, 0), 0);
    // Still watched, and still to be signalled, though nobody of ours can reap them.
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    EXPECT_EQ(death(1).pid, first.pid);
    EXPECT_EQ(record_.count(Event::Kind::death, 1), 1U);
}

TEST_F(TemplateTest, ReapsOrphansThatBecomeItsOwn) {
    start();
    request(1, "deaf");
    at_work(1);
    ASSERT_EQ(kill(source_.template_pid, SIGKILL), 0);
    request(2, "exit 0");
    death(2);
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    expect_signal(death(1), SIGKILL);
    supervisor_->stop();
    EXPECT_FALSE(any_child_left());
}

TEST_F(TemplateTest, StoppedIsReplaced) {
    times_.template_answer_ns = 100 * kMs;
    times_.stop_grace_ns = 100 * kMs;
    start();
    request(1, "deaf");
    const auto first = at_work(1);
    ASSERT_EQ(kill(source_.template_pid, SIGSTOP), 0);
    for (std::uint32_t lane = 2; lane < 50; ++lane)
        request(lane, "exit 1");
    for (std::uint32_t lane = 2; lane < 50; ++lane)
        expect_exit(death(lane), 1);
    EXPECT_EQ(source_.starts, 2);
    EXPECT_EQ(kill(first.pid, 0), 0);
    EXPECT_EQ(record_.count_all(Event::Kind::born), 49U);
}

TEST_F(TemplateTest, StoppedWhileAWorkerDies) {
    times_.exit_status_ns = 20 * kMs;
    times_.stop_grace_ns = 100 * kMs;
    start();
    request(1, "deaf");
    at_work(1);
    ASSERT_EQ(kill(source_.template_pid, SIGSTOP), 0);
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    expect_signal(death(1), SIGKILL);  // the kernel knows, too
    ASSERT_EQ(kill(source_.template_pid, SIGCONT), 0);
    request(1, "exit 2");
    expect_exit(death(1, 2), 2);  // the late word about the first is about nobody
    EXPECT_EQ(record_.count(Event::Kind::death, 1), 2U);
}

TEST_F(TemplateTest, NotBlamedWhenTheSupervisorItselfWasHeldUp) {
    // As when the whole process tree was stopped for a while.
    times_.template_answer_ns = 1000 * kMs;
    times_.late_ns = 50 * kMs;
    start();
    request(1, "exit 0");
    death(1);
    ASSERT_EQ(kill(source_.template_pid, SIGSTOP), 0);
    request(2, "exit 2");
    usleep(20'000);
    record_.hold_timer();
    supervisor_->wake_at(os::now_ns());
    record_.wait_for(Event::Kind::timer, 0);
    usleep(1'200'000);
    record_.release_timer();
    usleep(20'000);  // it has looked at its clock, and not seen an answer
    ASSERT_EQ(kill(source_.template_pid, SIGCONT), 0);
    expect_exit(death(2), 2);
    EXPECT_EQ(source_.starts, 1);
}

TEST_F(TemplateTest, StoppedForGoodWhileAWorkerDies) {
    times_.exit_status_ns = 5 * kMs;
    times_.stop_grace_ns = 20 * kMs;
    start();
    request(1, "deaf");
    at_work(1);
    ASSERT_EQ(kill(source_.template_pid, SIGSTOP), 0);
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    expect_signal(death(1), SIGKILL);  // and its zombie is not left to us when the template is ended
}

TEST_F(TemplateTest, StoppedAtTheEnd) {
    times_.stop_grace_ns = 50 * kMs;
    start();
    request(1, "deaf");
    at_work(1);
    ASSERT_EQ(kill(source_.template_pid, SIGSTOP), 0);
    request(2, "deaf");
    supervisor_->stop();
    EXPECT_EQ(record_.count(Event::Kind::death, 1), 1U);
    EXPECT_EQ(failed(2).error.code, Errc::shut_down);
}

TEST_F(TemplateTest, DiesAtEveryBirth) {
    class Fatal : public PlainHooks {
      public:
        std::int32_t fork_worker() override { _exit(1); }
    } fatal;
    source_.hooks = &fatal;
    start();
    for (std::uint32_t lane = 0; lane < 20; ++lane)
        request(lane, "deaf");
    for (std::uint32_t lane = 0; lane < 20; ++lane) {
        const auto failure = failed(lane);
        EXPECT_EQ(failure.error.sys_errno, ECHILD);
        EXPECT_STREQ(failure.error.what, "start the template process");
    }
    EXPECT_EQ(source_.starts, 4);
    // It may be asked again later.
    request(30, "deaf");
    failed(30);
    EXPECT_EQ(source_.starts, 8);
}

TEST_F(TemplateTest, DiesAtEveryOtherBirth) {
    class Unsteady : public PlainHooks {
      public:
        std::int32_t fork_worker() override {
            if (births_++ == 1) _exit(1);
            return fork();
        }

      private:
        int births_ = 0;
    } unsteady;
    source_.hooks = &unsteady;
    start();
    for (std::uint32_t lane = 0; lane < 20; ++lane) {
        request(lane, "exit 9");
        expect_exit(death(lane), 9);
    }
    EXPECT_EQ(source_.starts, 20);
}

// Between fork and BORN the worst can happen: the template is gone, the worker exists, the parent has not heard of it.
TEST_F(TemplateTest, DiesBetweenForkAndBorn) {
    class Late : public PlainHooks {
      public:
        explicit Late(std::atomic<int>& calls) : calls_(calls) {}
        std::int32_t fork_worker() override {
            const bool first = calls_++ == 0;
            const int pid = fork();
            if (!first) return pid;
            if (pid != 0) os::kill_self();
            usleep(100'000);  // until the parent has given its lane to another
            return 0;
        }

      private:
        std::atomic<int>& calls_;
    };
    Shared<std::atomic<int>> calls;
    Late late(*calls);
    source_.hooks = &late;
    start();
    const os::Fd lane = make_lane("deaf");
    supervisor_->request_birth(1, os::Fd(fcntl(lane.get(), F_DUPFD_CLOEXEC, 0)));
    const auto birth = born(1);
    // The orphan ends by itself, and has not lived.
    siginfo_t info{};
    ASSERT_EQ(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
    EXPECT_NE(info.si_pid, birth.pid);
    EXPECT_EQ(waitpid(info.si_pid, nullptr, 0), info.si_pid);
    EXPECT_TRUE(eventually([&] { return read_at(lane.get(), kBirthCounter) == 1; }));
    EXPECT_EQ(record_.count(Event::Kind::born, 1), 1U);
    EXPECT_EQ(source_.starts, 2);
    supervisor_->stop();
}

// The other way round: BORN was said, the parent has not read it, and the template ends with further births unread.
TEST_F(TemplateTest, DiesBetweenBornAndItsReading) {
    struct Flags {
        std::atomic<int> calls{0};
        std::atomic<bool> go{false};
        std::atomic<bool> lives{false};
    };
    class Hooks : public PlainHooks {
      public:
        explicit Hooks(Flags& flags) : flags_(flags) {}
        std::int32_t fork_worker() override {
            const bool first = flags_.calls++ == 0;
            while (first && !flags_.go)
                usleep(100);
            const int pid = fork();
            if (!first || pid == 0) return pid;
            while (!flags_.lives)
                usleep(100);
            os::kill_self();
        }
        int worker_main(const WorkerSetup& setup) override {
            flags_.lives = true;
            return live(setup);
        }

      private:
        Flags& flags_;
    };
    Shared<Flags> flags;
    Hooks hooks(*flags);
    source_.hooks = &hooks;
    start();
    const os::Fd lane = make_lane("deaf");
    supervisor_->request_birth(1, os::Fd(fcntl(lane.get(), F_DUPFD_CLOEXEC, 0)));
    request(2, "exit 2");
    request(3, "exit 3");
    ASSERT_TRUE(eventually([&] { return (*flags).calls == 1; }));
    record_.hold_timer();
    supervisor_->wake_at(os::now_ns());
    record_.wait_for(Event::Kind::timer, 0);  // the supervisor's thread is held up now
    (*flags).go = true;
    siginfo_t info{};
    EXPECT_EQ(waitid(P_PID, static_cast<id_t>(source_.template_pid), &info, WEXITED | WNOWAIT), 0);
    record_.release_timer();
    expect_exit(death(2), 2);
    expect_exit(death(3), 3);
    EXPECT_EQ(record_.count(Event::Kind::born, 1), 1U);
    EXPECT_EQ(read_at(lane.get(), kBirthCounter), 1);
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    expect_signal(death(1), SIGKILL);
    EXPECT_EQ(source_.starts, 2);
    supervisor_->stop();
}

TEST_F(TemplateTest, EndOfTheParentLeavesNothing) {
    unborn_orphans_ = true;
    // An intermediate parent with a supervisor is killed; everything below it must end.
    constexpr int kWorkers = 4;
    struct Pids {
        std::atomic<int> process{0};
        std::atomic<int> workers[kWorkers]{};
        std::atomic<bool> ready{false};
    };
    Shared<Pids> pids;
    const int parent = fork();
    if (parent == 0) {
        start();
        for (std::uint32_t lane = 0; lane < kWorkers; ++lane) {
            request(lane, "deaf");
            (*pids).workers[lane] = at_work(lane).pid;
        }
        (*pids).process = source_.template_pid.load();
        (*pids).ready = true;
        for (;;)
            pause();
    }
    ASSERT_TRUE(eventually([&] { return (*pids).ready.load(); }));
    std::vector<os::Fd> pidfds;
    const auto watch = [&](int pid) {
        auto pidfd = os::open_pidfd(pid);
        ASSERT_TRUE(pidfd);
        pidfds.push_back(pidfd.take());
    };
    watch((*pids).process);
    for (auto& worker : (*pids).workers)
        watch(worker);
    for (const auto& pidfd : pidfds)
        EXPECT_FALSE(os::has_ended(pidfd));
    ASSERT_EQ(kill(parent, SIGKILL), 0);
    for (const auto& pidfd : pidfds)
        EXPECT_TRUE(os::wait_readable(pidfd.get(), os::now_ns() + kWatchdogNs));
}

TEST_F(TemplateTest, StormOfKills) {
    unborn_orphans_ = true;
    start();
    std::atomic<bool> enough{false};
    std::thread killer([&] {
        std::mt19937 random(1);
        while (!enough) {
            usleep(static_cast<useconds_t>(1000 + random() % 4000));
            if (random() % 4 == 0) kill(source_.template_pid, SIGKILL);
            supervisor_->signal_worker(static_cast<std::uint32_t>(random() % 8), SIGKILL);
        }
    });
    for (std::size_t round = 1; round <= 40; ++round) {
        for (std::uint32_t lane = 0; lane < 8; ++lane)
            request(lane, lane % 2 == 0 ? "exit 0" : "deaf");
        for (std::uint32_t lane = 0; lane < 8; ++lane) {
            EXPECT_TRUE(eventually([&] {
                return record_.count(Event::Kind::death, lane) + record_.count(Event::Kind::failed, lane) == round;
            })) << lane
                << " in " << round;
        }
    }
    enough = true;
    killer.join();
    EXPECT_EQ(record_.count_all(Event::Kind::death) + record_.count_all(Event::Kind::failed), 320U);
}

}  // namespace
}  // namespace hardwork::testing
