#include "os/process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "os/poll.hpp"
#include "os/spawn_attributes.hpp"

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif
#ifndef SYS_pidfd_send_signal
#define SYS_pidfd_send_signal 424
#endif

extern char** environ;

namespace hardwork::os {

namespace {

// linux/pidfd.h of 6.15.
struct PidfdInfo {
    std::uint64_t mask;
    std::uint64_t cgroup;
    std::uint32_t pid, tgid, ppid, ruid, rgid, euid, egid, suid, sgid, fsuid, fsgid;
    std::int32_t exit_code;
};
constexpr std::uint64_t kInfoExit = 1U << 3;
constexpr unsigned long kGetInfo = _IOWR(0xFF, 11, PidfdInfo);

}  // namespace

std::int32_t self_pid() { return getpid(); }

Result<Fd> open_pidfd(std::int32_t pid) {
    const long fd = syscall(SYS_pidfd_open, pid, 0);
    if (fd >= 0) return Fd(static_cast<int>(fd));
    const bool refused = errno == ENOSYS || errno == EPERM;
    return Error{refused ? Errc::unsupported : Errc::system, errno, "pidfd_open"};
}

std::int32_t pid_behind(int pidfd) {
    char path[40];
    std::snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    if (!file) return 0;
    char text[512];
    const ssize_t size = read(file.get(), text, sizeof text - 1);
    if (size <= 0) return 0;
    text[size] = '\0';
    const char* line = std::strstr(text, "\nPid:");
    int pid = 0;
    return line != nullptr && std::sscanf(line, "\nPid:%d", &pid) == 1 && pid > 0 ? pid : 0;
}

bool send_signal(const Fd& pidfd, int signal) {
    return syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0) == 0;
}

bool has_ended(const Fd& pidfd) { return wait_readable(pidfd.get(), 0); }

Result<std::int32_t> fork_process() {
    const pid_t pid = fork();
    if (pid < 0) return Error{Errc::system, errno, "fork"};
    return pid;
}

Result<std::int32_t> spawn_process(const std::vector<std::string>& argv, std::span<const int> keep) {
    if (argv.empty()) return Error{Errc::invalid_argument, EINVAL, "start a program"};
    std::vector<char*> arguments;
    for (const std::string& word : argv)
        arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    const SpawnAttributes attributes;
    if (!attributes.made() || posix_spawn_file_actions_init(&actions) != 0) {
        return Error{Errc::system, ENOMEM, "start a program"};
    }
    // A dup2 onto itself is posix_spawn's way to say: not close-on-exec in the child.
    for (const int fd : keep)
        posix_spawn_file_actions_adddup2(&actions, fd, fd);
    pid_t pid = 0;
    const int error = posix_spawnp(&pid, arguments[0], &actions, attributes.get(), arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (error != 0) return Error{Errc::system, error, "start a program"};
    return pid;
}

ExitStatus status_of(int wait_status) {
    if (WIFEXITED(wait_status)) return {ExitStatus::Kind::exited, WEXITSTATUS(wait_status)};
    if (WIFSIGNALED(wait_status)) return {ExitStatus::Kind::signaled, WTERMSIG(wait_status)};
    return {};
}

std::optional<ExitStatus> reap(std::int32_t pid) {
    if (pid <= 0) return ExitStatus{};  // to waitpid that is "any child": not ours to take
    int status = 0;
    for (;;) {
        const pid_t reaped = waitpid(pid, &status, WNOHANG);
        if (reaped == pid) return status_of(status);
        if (reaped == 0) return std::nullopt;
        if (errno != EINTR) return ExitStatus{};
    }
}

ExitStatus status_from_pidfd(const Fd& pidfd) {
    PidfdInfo info{};
    info.mask = kInfoExit;
    if (ioctl(pidfd.get(), kGetInfo, &info) < 0 || (info.mask & kInfoExit) == 0) return {};
    return status_of(info.exit_code);
}

void die_with_parent(bool whether) { prctl(PR_SET_PDEATHSIG, whether ? SIGKILL : 0); }

void exit_now(int code) { _exit(code); }

void kill_self() {
    kill(getpid(), SIGKILL);
    _exit(137);
}

}  // namespace hardwork::os
