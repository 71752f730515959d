#include "os/channel.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace hardwork::os {

namespace {
constexpr std::size_t kMostBytes = 4096;
}

Result<std::pair<Channel, Channel>> Channel::pair() {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0) {
        return Error{Errc::system, errno, "socketpair"};
    }
    return std::pair<Channel, Channel>{Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

Status Channel::send(Bytes message, std::span<const int> fds) {
    // Nothing to say cannot be told from a closed peer.
    if (message.empty() || message.size() > kMostBytes || fds.size() > kMaxChannelFds) {
        return Error{Errc::invalid_argument, EMSGSIZE, "send a message"};
    }
    iovec part{const_cast<std::byte*>(message.data()), message.size()};
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int) * kMaxChannelFds)] = {};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    if (!fds.empty()) {
        header.msg_control = control;
        header.msg_controllen = CMSG_SPACE(fds.size_bytes());
        cmsghdr* rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(fds.size_bytes());
        std::memcpy(CMSG_DATA(rights), fds.data(), fds.size_bytes());
    }
    for (;;) {
        if (sendmsg(fd_.get(), &header, MSG_NOSIGNAL) >= 0) return {};
        if (errno == EINTR) continue;
        // A reset is a peer that closed with messages of ours unread: closed as well.
        return Error{Errc::system, errno == ECONNRESET ? EPIPE : errno, "send a message"};
    }
}

namespace {

// `refused`: the flags of recvmsg that make the message an error (MSG_TRUNC, MSG_CTRUNC).
Result<Message> receive_from(int channel_fd, int refused) {
    Message message;
    message.bytes.resize(kMostBytes);
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
    if (received < 0) {
        if (errno == ECONNRESET) return Message{};  // the peer ended with our messages unread
        return Error{Errc::system, errno, "receive a message"};
    }
    // First the descriptors, whatever the message is: they are open here already, and somebody must own them.
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
    if ((header.msg_flags & refused) != 0) {
        return Error{Errc::system, EMSGSIZE, "receive a message"};  // longer than any that send() would take
    }
    message.bytes.resize(static_cast<std::size_t>(received));
    return message;
}

}  // namespace

Result<Message> Channel::receive() { return receive_from(fd_.get(), MSG_TRUNC | MSG_CTRUNC); }

Result<Message> receive_what_fits(int channel_fd) { return receive_from(channel_fd, 0); }

}  // namespace hardwork::os
