// What the tests of src/os share: deadlines, children that cannot outlive a test, and a watchdog.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/process.hpp"

namespace hardwork::os::testing {

inline constexpr std::uint64_t kMs = 1'000'000;
// Only ever reached by a test that fails.
inline constexpr std::uint64_t kLongNs = 20'000 * kMs;

inline std::uint64_t in_ms(std::uint64_t ms) { return now_ns() + ms * kMs; }

// Every test starts with a fresh alarm; its default action ends the whole program, threads and all.
class Watchdog : public ::testing::EmptyTestEventListener {
  public:
    void OnTestStart(const ::testing::TestInfo&) override { alarm(100); }
    void OnTestEnd(const ::testing::TestInfo&) override { alarm(0); }
};

inline const bool watchdog_is_on = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new Watchdog);
    return true;
}();

inline bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }
inline bool is_close_on_exec(int fd) { return (fcntl(fd, F_GETFD) & FD_CLOEXEC) != 0; }

// Waits for `done` without a limit on how long it may take on a busy machine, short of a hang.
inline bool eventually(const std::function<bool()>& done) {
    const std::uint64_t deadline = now_ns() + kLongNs;
    while (!done()) {
        if (now_ns() > deadline) return false;
        usleep(500);
    }
    return true;
}

// A forked child; killed and reaped by the destructor if the test has not done it.
class Child {
  public:
    explicit Child(const std::function<int()>& body) {
        pid_ = fork();
        if (pid_ == 0) {
            alarm(60);
            _exit(body());
        }
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;
    ~Child() {
        if (pid_ <= 0) return;
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }

    pid_t pid() const { return pid_; }
    void kill(int signal = SIGKILL) const { ::kill(pid_, signal); }
    // Somebody else has reaped it: its number may be anybody's now.
    void forget() { pid_ = -1; }
    // The exit code, or 128 + signal.
    int wait() {
        int status = 0;
        while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        pid_ = -1;
        return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    }

  private:
    pid_t pid_ = -1;
};

// The program started by spawn_process, reaped through our own reap().
inline ExitStatus end_of(std::int32_t pid) {
    ExitStatus status;
    const bool ended = eventually([&] {
        const auto reaped = reap(pid);
        if (reaped) status = *reaped;
        return reaped.has_value();
    });
    if (!ended) {
        kill(pid, SIGKILL);
        waitpid(pid, nullptr, 0);
    }
    return status;
}

// A signal whose handler does nothing but interrupt (no SA_RESTART); the disposition is put back at the end.
class Interrupting {
  public:
    explicit Interrupting(int signal) : signal_(signal) {
        struct sigaction action {};
        action.sa_handler = [](int) {};
        sigaction(signal, &action, &before_);
    }
    Interrupting(const Interrupting&) = delete;
    Interrupting& operator=(const Interrupting&) = delete;
    ~Interrupting() { sigaction(signal_, &before_, nullptr); }

  private:
    int signal_;
    struct sigaction before_ {};
};

}  // namespace hardwork::os::testing
