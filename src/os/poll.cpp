#include "os/poll.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "os/clock.hpp"
#include "os/futex.hpp"

namespace hardwork::os {

namespace {

// Rounded up: waking a millisecond late is harmless, early would spin.
int milliseconds_until(std::uint64_t deadline_ns) {
    if (deadline_ns == kNoDeadline) return -1;
    const std::uint64_t now = now_ns();
    if (now >= deadline_ns) return 0;
    return static_cast<int>(std::min<std::uint64_t>((deadline_ns - now + 999'999) / 1'000'000, INT_MAX));
}

}  // namespace

Result<Poller> Poller::create() {
    Fd fd(epoll_create1(EPOLL_CLOEXEC));
    if (!fd) return Error{Errc::system, errno, "epoll_create"};
    Poller poller;
    poller.epoll_ = std::move(fd);
    return poller;
}

Status Poller::add(int fd, std::uint64_t token) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = token;
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) < 0) return Error{Errc::system, errno, "epoll_ctl"};
    return {};
}

void Poller::remove(int fd) { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

std::size_t Poller::wait(std::span<std::uint64_t> tokens, std::uint64_t deadline_ns) {
    epoll_event events[32];
    const int room = static_cast<int>(std::min<std::size_t>(tokens.size(), 32));
    for (;;) {
        const int ready = epoll_wait(epoll_.get(), events, room, milliseconds_until(deadline_ns));
        if (ready < 0 && errno == EINTR) continue;
        for (int i = 0; i < ready; ++i)
            tokens[static_cast<std::size_t>(i)] = events[i].data.u64;
        return ready > 0 ? static_cast<std::size_t>(ready) : 0;
    }
}

Result<Notifier> Notifier::create() {
    Fd fd(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd) return Error{Errc::system, errno, "eventfd"};
    Notifier notifier;
    notifier.event_ = std::move(fd);
    return notifier;
}

void Notifier::notify() {
    const std::uint64_t one = 1;
    while (write(event_.get(), &one, sizeof one) < 0 && errno == EINTR) {
    }
}

void Notifier::clear() {
    std::uint64_t count;
    while (read(event_.get(), &count, sizeof count) < 0 && errno == EINTR) {
    }
}

bool wait_readable(int fd, std::uint64_t deadline_ns) {
    pollfd entry{fd, POLLIN, 0};
    for (;;) {
        const int ready = ::poll(&entry, 1, milliseconds_until(deadline_ns));
        if (ready > 0) return true;
        if (ready == 0) return false;
        if (errno != EINTR) return false;
    }
}

namespace {

// What poll(2) refuses to a process whose limit of open files is below the number of entries, select(2) does not. Of a
// pipe that nobody writes to, to be readable is to be hung up.
Woken select_readable_or_hung_up(int fd, int pipe_fd) {
    if (fd >= FD_SETSIZE || pipe_fd >= FD_SETSIZE) return Woken::neither;
    for (;;) {
        fd_set readable;
        FD_ZERO(&readable);
        FD_SET(fd, &readable);
        if (pipe_fd >= 0) FD_SET(pipe_fd, &readable);
        const int ready = ::select(std::max(fd, pipe_fd) + 1, &readable, nullptr, nullptr, nullptr);
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return Woken::neither;
        return FD_ISSET(fd, &readable) ? Woken::readable : Woken::hung_up;
    }
}

}  // namespace

Woken wait_readable_or_hung_up(int fd, int pipe_fd) {
    pollfd entries[] = {{fd, POLLIN, 0}, {pipe_fd, 0, 0}};
    for (;;) {
        const int ready = ::poll(entries, 2, -1);
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0 && errno == EINVAL) return select_readable_or_hung_up(fd, pipe_fd);
        if (ready < 0) return Woken::neither;
        if (entries[0].revents != 0) return Woken::readable;
        if (entries[1].revents != 0) return Woken::hung_up;
    }
}

}  // namespace hardwork::os
