#include "os/channel_ends.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>

namespace hardwork::os {

void refuse_messages(int channel_fd) { shutdown(channel_fd, SHUT_RD); }

void shut_down_channel(int channel_fd) { shutdown(channel_fd, SHUT_RDWR); }

bool wait_writable_or(int channel_fd, int stop_fd) {
    pollfd fds[2] = {{channel_fd, POLLOUT, 0}, {stop_fd, POLLIN, 0}};
    for (;;) {
        const int ready = poll(fds, 2, -1);
        if (ready < 0 && errno == EINTR) continue;
        if (ready < 0) return false;
        if (fds[1].revents != 0) return false;
        if (fds[0].revents != 0) return true;
    }
}

}  // namespace hardwork::os
