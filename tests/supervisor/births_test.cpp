#include "supervisor_fixture.hpp"

#include <fcntl.h>
#include <sys/ptrace.h>

#include <cstdlib>
#include <fstream>
#include <string>

namespace hardwork::testing {
namespace {

// Everything that must hold with a template and without one.
class BothWays : public SupervisorTest, public ::testing::WithParamInterface<bool> {
  protected:
    void SetUp() override {
        SupervisorTest::SetUp();
        source_.with_template = GetParam();
    }
};
INSTANTIATE_TEST_SUITE_P(Births, BothWays, ::testing::Bool(),
                         [](const auto& way) { return way.param ? "template" : "direct"; });

TEST_P(BothWays, DeathBySignal) {
    start();
    for (const int signal : {SIGKILL, SIGTERM, SIGUSR1}) {
        const auto lane = static_cast<std::uint32_t>(signal);
        request(lane, "deaf");
        const auto birth = born(lane);
        EXPECT_GT(birth.pid, 0);
        EXPECT_TRUE(supervisor_->signal_worker(lane, signal));
        const auto end = death(lane);
        EXPECT_EQ(end.pid, birth.pid);
        expect_signal(end, signal);
        EXPECT_FALSE(supervisor_->signal_worker(lane, signal));
    }
    EXPECT_EQ(supervisor_->population(), 0);
}

TEST_P(BothWays, DeathByForeignKill) {
    start();
    request(1, "deaf");
    ASSERT_EQ(kill(born(1).pid, SIGKILL), 0);
    expect_signal(death(1), SIGKILL);
}

TEST_P(BothWays, ExitCodes) {
    start();
    for (std::uint32_t lane = 0; lane < 4; ++lane)
        request(lane, ("exit " + std::to_string(lane)).c_str());
    for (std::uint32_t lane = 0; lane < 4; ++lane)
        expect_exit(death(lane), static_cast<int>(lane));
}

TEST_P(BothWays, AHundredBirthsAndDeaths) {
    start();
    constexpr std::uint32_t kLanes = 20;
    for (std::size_t round = 1; round <= 5; ++round) {
        for (std::uint32_t lane = 0; lane < kLanes; ++lane)
            request(lane, lane % 2 == 0 ? "exit 1" : "deaf");
        EXPECT_LE(supervisor_->population(), static_cast<int>(kLanes));
        for (std::uint32_t lane = 1; lane < kLanes; lane += 2) {
            born(lane, round);
            EXPECT_TRUE(supervisor_->signal_worker(lane, SIGKILL));
        }
        for (std::uint32_t lane = 0; lane < kLanes; ++lane) {
            const auto end = death(lane, round);
            if (lane % 2 == 0) expect_exit(end, 1);
            if (lane % 2 == 1) expect_signal(end, SIGKILL);
        }
    }
    EXPECT_EQ(record_.count_all(Event::Kind::born), 100U);
    EXPECT_EQ(record_.count_all(Event::Kind::death), 100U);
    EXPECT_EQ(record_.count_all(Event::Kind::failed), 0U);
}

TEST_P(BothWays, KilledBeforeItIsBorn) {
    start();
    for (std::uint32_t lane = 0; lane < 20; ++lane) {
        request(lane, "deaf");
        supervisor_->signal_worker(lane, SIGKILL);
    }
    for (std::uint32_t lane = 0; lane < 20; ++lane)
        expect_signal(death(lane), SIGKILL);
}

TEST_P(BothWays, StopEndsWhatLivesAndWhatIsBeingBorn) {
    start();
    for (std::uint32_t lane = 0; lane < 40; ++lane)
        request(lane, "deaf");
    born(0);
    supervisor_->stop();
    for (std::uint32_t lane = 0; lane < 40; ++lane) {
        EXPECT_EQ(record_.count(Event::Kind::death, lane) + record_.count(Event::Kind::failed, lane), 1U) << lane;
    }
    supervisor_->stop();
    request(50, "deaf");  // too late: nothing happens
    EXPECT_FALSE(supervisor_->signal_worker(50, SIGKILL));
}

TEST_P(BothWays, SourceThatFailsOnce) {
    unborn_orphans_ = true;
    start();
    if (source_.with_template) {
        kill(source_.template_pid, SIGKILL);
        // Its end is seen by the request, or before it.
    }
    source_.fail_with = EAGAIN;
    request(1, "exit 0");
    if (source_.with_template && record_.count(Event::Kind::born, 1) != 0) return;
    const auto failure = failed(1);
    EXPECT_EQ(failure.error.code, Errc::system);
    EXPECT_EQ(failure.error.sys_errno, EAGAIN);
    source_.fail_with = 0;
    request(1, "exit 4");
    expect_exit(death(1), 4);
}

TEST_P(BothWays, NoDescriptorLeft) {
    start();
    const os::Fd lane = make_lane("deaf");
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;
    os::Fd copy(fcntl(lane.get(), F_DUPFD_CLOEXEC, 0));
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    supervisor_->request_birth(1, std::move(copy));
    const auto failure = failed(1);
    EXPECT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(failure.error.sys_errno, EMFILE);
    EXPECT_EQ(record_.count(Event::Kind::born, 1), 0U);
    EXPECT_EQ(source_.starts, source_.with_template ? 1 : 0);  // nobody was blamed, nothing was tried twice
    request(1, "exit 2");
    expect_exit(death(1), 2);
}

TEST_P(BothWays, SomebodyElseReaps) {
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignore, &before);
    start();
    request(1, "exit 3");
    const auto end = death(1);
    if (source_.with_template) {
        expect_exit(end, 3);
    } else if (end.status.kind != ExitStatus::Kind::unknown) {
        expect_exit(end, 3);  // a kernel that still tells
    }
    supervisor_->stop();
    sigaction(SIGCHLD, &before, nullptr);
}

TEST_P(BothWays, AForkedChildForgets) {
    start();
    request(1, "deaf");
    const auto birth = born(1);
    const int child = fork();
    if (child == 0) {
        supervisor_->abandon();
        supervisor_->stop();
        supervisor_->request_birth(2, os::Fd());
        const bool quiet = !supervisor_->signal_worker(1, SIGKILL) && supervisor_->population() == 0;
        supervisor_.reset();
        _exit(quiet ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(kill(birth.pid, 0), 0);
    EXPECT_EQ(record_.count(Event::Kind::death, 1), 0U);
    request(3, "exit 5");
    expect_exit(death(3), 5);
}

TEST_P(BothWays, AForkedChildThatDoesNotForgetStaysAliveAndHarmless) {
    start();
    request(1, "deaf");
    const auto birth = born(1);
    const int child = fork();
    if (child == 0) {
        supervisor_.reset();
        _exit(0);
    }
    int status = -1;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    EXPECT_EQ(kill(birth.pid, 0), 0);
}

int tracer_of(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/status");
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with("TracerPid:")) return std::atoi(line.c_str() + 10);
    }
    return 0;
}

// Its zombie is not shown to its parent meanwhile.
TEST_F(SupervisorTest, AWorkerThatIsTracedIsToldOfAndReapedWhenItsTracerLetsGo) {
    source_.with_template = false;
    start();
    request(1, "deaf");
    const auto birth = at_work(1);
    const int tracer = fork();
    if (tracer == 0) {
        if (ptrace(PTRACE_SEIZE, birth.pid, nullptr, nullptr) != 0) _exit(1);
        for (;;)
            pause();
    }
    bool refused = false;
    EXPECT_TRUE(eventually([&] {
        refused = refused || waitpid(tracer, nullptr, WNOHANG) == tracer;
        return refused || tracer_of(birth.pid) == tracer;
    }));
    EXPECT_TRUE(supervisor_->signal_worker(1, SIGKILL));
    expect_signal(death(1), SIGKILL);
    if (!refused) {
        EXPECT_EQ(kill(birth.pid, 0), 0) << "nobody traces it";
        EXPECT_EQ(kill(tracer, SIGKILL), 0);
        EXPECT_EQ(waitpid(tracer, nullptr, 0), tracer);
    }
    EXPECT_TRUE(eventually([&] { return kill(birth.pid, 0) != 0; })) << "its zombie is left";
    if (refused) GTEST_SKIP() << "may not trace here";
}

TEST_F(SupervisorTest, TimerRings) {
    source_.with_template = false;
    start();
    const auto deadline = os::now_ns() + 5'000'000;
    supervisor_->wake_at(deadline + kWatchdogNs);
    supervisor_->wake_at(deadline);
    record_.wait_for(Event::Kind::timer, 0);
    EXPECT_GE(os::now_ns(), deadline);
    supervisor_->wake_at(os::now_ns());
    record_.wait_for(Event::Kind::timer, 0, 2);
    supervisor_->wake_at(os::now_ns() + 20'000'000);
    supervisor_->wake_at(os::kNoDeadline);
    usleep(60'000);
    EXPECT_EQ(record_.count_all(Event::Kind::timer), 2U);
}

TEST_F(SupervisorTest, StartReportsASourceThatFails) {
    make();
    source_.fail_with = ENOENT;
    const auto started = supervisor_->start();
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().sys_errno, ENOENT);
}

TEST_F(SupervisorTest, NeverStarted) { make(); }

TEST_F(SupervisorTest, AForkThatFailsIsReported) {
    class NoFork : public PlainHooks {
      public:
        std::int32_t fork_worker() override {
            errno = ENOMEM;
            return -1;
        }
    } hooks;
    source_.hooks = &hooks;
    start();
    for (std::uint32_t lane = 0; lane < 40; ++lane)
        request(lane, "deaf");
    for (std::uint32_t lane = 0; lane < 40; ++lane)
        EXPECT_EQ(failed(lane).error.sys_errno, ENOMEM);
    EXPECT_EQ(source_.starts, 1);
}

}  // namespace
}  // namespace hardwork::testing
