// Waiting for descriptors: epoll(7), and an eventfd to interrupt the wait.
#pragma once

#include <cstdint>
#include <span>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

class Poller {
  public:
    static Result<Poller> create();
    // Level triggered, readable (a pidfd is readable when its process has ended). token comes back from wait.
    Status add(int fd, std::uint64_t token);
    void remove(int fd);
    // Fills tokens of what is ready and returns how many: 0 at the deadline (absolute now_ns(), or kNoDeadline of
    // os/futex.hpp); restarts by itself after signals.
    std::size_t wait(std::span<std::uint64_t> tokens, std::uint64_t deadline_ns);

  private:
    Fd epoll_;
};

// Wakes a Poller from another thread.
class Notifier {
  public:
    static Result<Notifier> create();
    void notify();
    void clear();
    int fd() const { return event_.get(); }

  private:
    Fd event_;
};

// One descriptor: true when readable (or hung up), false at the deadline.
bool wait_readable(int fd, std::uint64_t deadline_ns);

enum class Woken { neither, readable, hung_up };

// Sleeps until the one is readable, or nobody holds the other end of the pipe any more (-1: there is none).
Woken wait_readable_or_hung_up(int fd, int pipe_fd);

}  // namespace hardwork::os
