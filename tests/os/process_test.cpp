#include "os/process.hpp"

#include <cstdlib>
#include <string>

#include "os/duplicate.hpp"
#include "os/poll.hpp"
#include "os/reap.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

using testing::Child;
using testing::end_of;
using Kind = ExitStatus::Kind;

int sleep_long() {
    for (;;)
        pause();
}

Fd pidfd_of(const Child& child) {
    auto pidfd = open_pidfd(child.pid());
    EXPECT_TRUE(pidfd) << pidfd.error().what;
    return pidfd ? pidfd.take() : Fd();
}

bool ends(const Fd& pidfd) { return wait_readable(pidfd.get(), now_ns() + testing::kLongNs); }

TEST(Pidfd, OfAKilledChild) {
    Child child(sleep_long);
    const Fd pidfd = pidfd_of(child);
    EXPECT_TRUE(testing::is_close_on_exec(pidfd.get()));
    EXPECT_FALSE(has_ended(pidfd));
    EXPECT_FALSE(reap(child.pid()).has_value());
    EXPECT_FALSE(reap(pidfd).has_value());
    EXPECT_TRUE(send_signal(pidfd, 0));
    EXPECT_TRUE(send_signal(pidfd, SIGKILL));
    ASSERT_TRUE(ends(pidfd));
    EXPECT_TRUE(has_ended(pidfd));
    const auto status = reap(child.pid());
    ASSERT_TRUE(status.has_value());
    child.forget();
    EXPECT_EQ(status->kind, Kind::signaled);
    EXPECT_EQ(status->value, SIGKILL);
    EXPECT_TRUE(has_ended(pidfd));
    EXPECT_FALSE(send_signal(pidfd, SIGTERM)) << "it is gone";
}

TEST(Pidfd, OfNobodyIsAnError) {
    EXPECT_FALSE(open_pidfd(-1));
    Child child([] { return 0; });
    const pid_t pid = child.pid();
    child.wait();
    const auto gone = open_pidfd(pid);
    ASSERT_FALSE(gone);
    EXPECT_EQ(gone.error().sys_errno, ESRCH);
    EXPECT_EQ(gone.error().code, Errc::system);
    EXPECT_FALSE(send_signal(Fd(), SIGTERM));
}

TEST(Reap, GivesTheExitCode) {
    for (const int code : {0, 1, 77, 255}) {
        Child child([=] { return code; });
        const ExitStatus status = end_of(child.pid());
        child.forget();
        EXPECT_EQ(status.kind, Kind::exited);
        EXPECT_EQ(status.value, code);
    }
}

TEST(Reap, GivesTheSignal) {
    Child child(sleep_long);
    child.kill(SIGTERM);
    const ExitStatus status = end_of(child.pid());
    child.forget();
    EXPECT_EQ(status.kind, Kind::signaled);
    EXPECT_EQ(status.value, SIGTERM);
}

TEST(Reap, IsUnknownWhenSomebodyElseReaped) {
    Child child([] { return 3; });
    const pid_t pid = child.pid();
    const Fd pidfd = pidfd_of(child);
    child.wait();  // as an application's waitpid(-1) would
    const auto by_pid = reap(pid);
    ASSERT_TRUE(by_pid.has_value());
    EXPECT_EQ(by_pid->kind, Kind::unknown);
    const auto by_pidfd = reap(pidfd);
    ASSERT_TRUE(by_pidfd.has_value());
    EXPECT_EQ(by_pidfd->kind, Kind::unknown);
}

TEST(Reap, IsUnknownWhenTheKernelReaps) {
    struct sigaction ignore {};
    struct sigaction before {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGCHLD, &ignore, &before);
    Child child(sleep_long);  // until it is killed: one that ends by itself may be gone before it has a pidfd
    const Fd pidfd = pidfd_of(child);
    child.kill();
    EXPECT_TRUE(ends(pidfd));
    ExitStatus status{Kind::exited, 99};
    EXPECT_TRUE(testing::eventually([&] {
        const auto reaped = reap(child.pid());
        if (reaped) status = *reaped;
        return reaped.has_value();
    }));
    EXPECT_EQ(status.kind, Kind::unknown);
    child.forget();
    sigaction(SIGCHLD, &before, nullptr);
}

TEST(Reap, DoesNotTouchOtherChildren) {
    Child child([] { return 5; });
    const Fd pidfd = pidfd_of(child);
    ASSERT_TRUE(ends(pidfd));
    for (const std::int32_t pid : {0, -1, self_pid()}) {
        const auto status = reap(pid);
        ASSERT_TRUE(status.has_value()) << pid;
        EXPECT_EQ(status->kind, Kind::unknown);
    }
    EXPECT_EQ(child.wait(), 5);
}

TEST(ReapByPidfd, GivesTheExitCodeAndTheSignal) {
    Child exits([] { return 41; });
    const Fd first = pidfd_of(exits);
    ASSERT_TRUE(ends(first));
    const auto exited = reap(first);
    ASSERT_TRUE(exited.has_value());
    exits.forget();
    EXPECT_EQ(exited->kind, Kind::exited);
    EXPECT_EQ(exited->value, 41);

    Child killed(sleep_long);
    const Fd second = pidfd_of(killed);
    killed.kill();
    ASSERT_TRUE(ends(second));
    const auto signaled = reap(second);
    ASSERT_TRUE(signaled.has_value());
    killed.forget();
    EXPECT_EQ(signaled->kind, Kind::signaled);
    EXPECT_EQ(signaled->value, SIGKILL);
}

TEST(StatusFromPidfd, IsKnownAfterSomebodyElseReaped) {
    Child exits([] { return 9; });
    const Fd exited = pidfd_of(exits);
    Child killed(sleep_long);
    const Fd signaled = pidfd_of(killed);
    EXPECT_EQ(status_from_pidfd(signaled).kind, Kind::unknown) << "it runs";
    killed.kill();
    EXPECT_EQ(exits.wait(), 9);
    EXPECT_EQ(killed.wait(), 128 + SIGKILL);
    if (status_from_pidfd(exited).kind == Kind::unknown) GTEST_SKIP() << "before Linux 6.15";
    EXPECT_EQ(status_from_pidfd(exited).kind, Kind::exited);
    EXPECT_EQ(status_from_pidfd(exited).value, 9);
    EXPECT_EQ(status_from_pidfd(signaled).kind, Kind::signaled);
    EXPECT_EQ(status_from_pidfd(signaled).value, SIGKILL);
}

TEST(StatusFromPidfd, OfSomethingElseIsUnknown) {
    EXPECT_EQ(status_from_pidfd(Fd()).kind, Kind::unknown);
    EXPECT_EQ(status_from_pidfd(Fd(open("/dev/null", O_RDONLY | O_CLOEXEC))).kind, Kind::unknown);
}

TEST(Fork, ChildHasAnotherPid) {
    const std::int32_t parent = self_pid();
    EXPECT_EQ(parent, getpid());
    const auto pid = fork_process();
    ASSERT_TRUE(pid);
    if (pid.value() == 0) exit_now(self_pid() != parent && getppid() == parent ? 11 : 12);
    const ExitStatus status = end_of(pid.value());
    EXPECT_EQ(status.value, 11);
}

TEST(KillSelf, IsAKill) {
    Child child([]() -> int { kill_self(); });
    EXPECT_EQ(child.wait(), 128 + SIGKILL);
}

Result<std::int32_t> shell(const std::string& script, std::span<const int> keep = {}) {
    return spawn_process({"/bin/sh", "-c", script}, keep);
}

int code_of(const Result<std::int32_t>& pid) {
    if (!pid) return -1;
    const ExitStatus status = end_of(pid.value());
    return status.kind == Kind::exited ? status.value : -2;
}

TEST(Spawn, PassesArguments) {
    EXPECT_EQ(code_of(shell("exit 23")), 23);
    EXPECT_EQ(code_of(spawn_process(
                  {"/bin/sh", "-c", "[ \"$1\" = 'a b' ] && [ -z \"$2\" ] && [ $# = 2 ]", "sh", "a b", ""}, {})),
              0);
}

TEST(Spawn, InheritsTheEnvironment) {
    ASSERT_EQ(setenv("HARDWORK_TEST", "here", 1), 0);
    EXPECT_EQ(code_of(shell("[ \"$HARDWORK_TEST\" = here ]")), 0);
    unsetenv("HARDWORK_TEST");
}

TEST(Spawn, AProgramThatIsNotThereIsAnError) {
    const auto pid = spawn_process({"/nonexistent/program"}, {});
    ASSERT_FALSE(pid);
    EXPECT_EQ(pid.error().sys_errno, ENOENT);
    const auto nothing = spawn_process({}, {});
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().code, Errc::invalid_argument);
}

TEST(Spawn, KeepsOnlyTheNamedDescriptors) {
    const Fd kept(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const Fd dropped(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const auto also_kept = duplicate(kept.get());
    ASSERT_TRUE(also_kept);
    const auto path = [](const Fd& fd) { return "/proc/self/fd/" + std::to_string(fd.get()); };
    const int keep[] = {kept.get(), also_kept.value().get()};
    const std::string script = "[ -e " + path(kept) + " ] || exit 1; [ -e " + path(also_kept.value()) +
                               " ] || exit 2; [ ! -e " + path(dropped) + " ] || exit 3";
    EXPECT_EQ(code_of(shell(script, keep)), 0);
    EXPECT_TRUE(testing::is_close_on_exec(kept.get())) << "changed in the parent";
    EXPECT_EQ(code_of(shell("[ ! -e " + path(kept) + " ]")), 0) << "kept without being named";
}

TEST(Spawn, AKeptDescriptorIsTheSameFile) {
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const Fd out(ends[0]);
    Fd in(ends[1]);
    const int keep[] = {in.get()};
    const auto pid = shell("echo works > /proc/self/fd/" + std::to_string(in.get()), keep);
    ASSERT_TRUE(pid);
    in.reset();
    ASSERT_TRUE(wait_readable(out.get(), now_ns() + testing::kLongNs));
    char text[16] = {};
    EXPECT_EQ(read(out.get(), text, sizeof text - 1), 6);
    EXPECT_STREQ(text, "works\n");
    EXPECT_EQ(end_of(pid.value()).value, 0);
}

TEST(Spawn, StartsWithSignalsAsTheyAreInAFreshProcess) {
    sigset_t some;
    sigset_t mask_before;
    sigemptyset(&some);
    sigaddset(&some, SIGTERM);
    sigaddset(&some, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &some, &mask_before);
    struct sigaction ignore {};
    struct sigaction pipe_before {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &ignore, &pipe_before);
    // cat reports on itself: a shell sets handlers of its own.
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const Fd out(ends[0]);
    Fd in(ends[1]);
    const int stdout_before = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
    dup2(in.get(), STDOUT_FILENO);
    const auto pid = spawn_process({"cat", "/proc/self/status"}, {});
    dup2(stdout_before, STDOUT_FILENO);
    close(stdout_before);
    in.reset();
    sigaction(SIGPIPE, &pipe_before, nullptr);
    pthread_sigmask(SIG_SETMASK, &mask_before, nullptr);
    ASSERT_TRUE(pid) << "not found along PATH";
    std::string text;
    char buffer[4096];
    while (wait_readable(out.get(), now_ns() + testing::kLongNs)) {
        const ssize_t got = read(out.get(), buffer, sizeof buffer);
        if (got <= 0) break;
        text.append(buffer, static_cast<std::size_t>(got));
    }
    EXPECT_EQ(end_of(pid.value()).value, 0);
    const auto signals_in = [&](const std::string& field) {
        const std::size_t at = text.find(field);
        if (at == std::string::npos) return ~0ULL;
        // 32 to 34 are the C library's own; whoever started us may have left them ignored, and nobody can change that.
        constexpr unsigned long long kOfTheLibrary = 7ULL << 31;
        return std::strtoull(text.c_str() + at + field.size(), nullptr, 16) & ~kOfTheLibrary;
    };
    EXPECT_EQ(signals_in("SigBlk:\t"), 0U);
    EXPECT_EQ(signals_in("SigIgn:\t"), 0U);
}

}  // namespace
}  // namespace hardwork::os
