// A pair of sockets between two processes that carries whole messages with descriptors (unix(7), SOCK_SEQPACKET).
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "base/bits.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

inline constexpr std::size_t kMaxChannelFds = 8;

struct Message {
    std::vector<std::byte> bytes;
    std::vector<Fd> fds;
};

class Channel {
  public:
    Channel() = default;
    explicit Channel(Fd fd) : fd_(std::move(fd)) {}
    static Result<std::pair<Channel, Channel>> pair();  // both close-on-exec

    // Never raises SIGPIPE; a closed peer is an Error (sys_errno EPIPE). Blocks when the buffer is full.
    Status send(Bytes message, std::span<const int> fds = {});
    // One message; blocks (restarts after signals). A closed peer gives a Message with empty bytes.
    Result<Message> receive();

    int fd() const { return fd_.get(); }
    Fd release() { return std::move(fd_); }
    explicit operator bool() const { return static_cast<bool>(fd_); }
    void close() { fd_.reset(); }

  private:
    Fd fd_;
};

// As Channel::receive, but a message whose descriptors the kernel had to drop, because this process has no room for them
// (EMFILE; recvmsg says MSG_CTRUNC), comes without them instead of getting lost: its words may be about a process.
Result<Message> receive_what_fits(int channel_fd);

}  // namespace hardwork::os
