// Forks where the allocator does not survive one beside other threads (quiet_fork.cpp says why).
#pragma once

#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <span>
#include <utility>

#include "os/channel.hpp"

namespace hardwork::test {

// Makes templates for a process that has threads, in one that has a single one.
class LoneFork {
  public:
    // `child` runs in each process that is made, with the descriptor that it was given.
    explicit LoneFork(const std::function<void(int fd)>& child) {
        auto ends = os::Channel::pair();
        if (!ends) std::abort();
        pid_ = ::fork();
        if (pid_ < 0) std::abort();
        if (pid_ == 0) serve(std::move(ends.value().second), child);
        channel_ = std::move(ends.value().first);
    }
    LoneFork(const LoneFork&) = delete;
    LoneFork& operator=(const LoneFork&) = delete;
    ~LoneFork() {
        shutdown(channel_.fd(), SHUT_RDWR);  // closing is not enough while a fork of ours has it too
        waitpid(pid_, nullptr, 0);
    }

    // The new process is a child of the caller's, as one of its own fork would be. An errno, or 0.
    int fork(int fd, std::int32_t& pid) {
        const std::byte nothing{};
        if (!channel_.send({&nothing, 1}, {&fd, 1})) return ECHILD;
        const auto answer = channel_.receive();
        if (!answer || answer.value().bytes.size() != sizeof pid) return ECHILD;
        std::memcpy(&pid, answer.value().bytes.data(), sizeof pid);
        return pid < 0 ? -pid : 0;
    }

  private:
    [[noreturn]] static void serve(os::Channel channel, const std::function<void(int)>& child) {
        // Nothing of the caller's stays open for its sake: those who wait for the other end of something to be closed.
        if (channel.fd() > 3) close_range(3, static_cast<unsigned>(channel.fd()) - 1, 0);
        close_range(static_cast<unsigned>(channel.fd()) + 1, ~0U, 0);
        for (;;) {
            auto message = channel.receive();
            if (!message || message.value().fds.size() != 1) _exit(0);
            std::int32_t pid = static_cast<std::int32_t>(syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0));
            if (pid == 0) {
                channel.close();
                child(message.value().fds.front().release());
                _exit(0);
            }
            if (pid < 0) pid = -errno;
            if (!channel.send(std::as_bytes(std::span(&pid, 1)))) _exit(0);
        }
    }

    os::Channel channel_;
    pid_t pid_ = -1;
};

}  // namespace hardwork::test
