#include "os/channel_ends.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

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

Result<Message> receive_what_fits(int channel_fd) {
    Message message;
    message.bytes.resize(4096);
    iovec part{message.bytes.data(), message.bytes.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxChannelFds)];
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    ssize_t received;
    do {
        received = recvmsg(channel_fd, &header, MSG_CMSG_CLOEXEC);
    } while (received < 0 && errno == EINTR);
    if (received < 0 && errno == ECONNRESET) return Message{};
    if (received < 0) return Error{Errc::system, errno, "receive a message"};
    for (cmsghdr* rights = CMSG_FIRSTHDR(&header); rights != nullptr; rights = CMSG_NXTHDR(&header, rights)) {
        if (rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS) continue;
        const std::size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int fd;
            std::memcpy(&fd, CMSG_DATA(rights) + i * sizeof fd, sizeof fd);
            message.fds.emplace_back(fd);
        }
    }
    if (received == 0) return Message{};
    message.bytes.resize(static_cast<std::size_t>(received));
    return message;
}

}  // namespace hardwork::os
