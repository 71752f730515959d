// What parent and template say to each other: one fixed-size message a packet, with the descriptors it needs.
//
//   parent -> template   HELLO{version, lane: number of the parent's end, ticket: its inode} [parent pidfd, input fd]
//                                                                  sent before the template is started
//                        BIRTH{ticket, lane} [lane fd]
//                        KILL{ticket}                              a worker whose pidfd did not arrive
//                        STOP                                      no more births; end when no worker is left
//   template -> parent   HELLO{version}                            ready to serve
//                        BIRTH_FAILED{ticket, lane, errno}
//                        DIED{ticket, lane, pid, status}           the template has reaped it
//   worker   -> parent   BORN{ticket, lane, pid} [own pidfd]       over the template's channel, then closes it
//
// The worker itself says BORN, and does not begin to live if that fails. So when the parent has refused further
// messages and read what was there, every birth it has not heard of is one that never happens: a second worker can be
// born on the same lane, whatever became of the first template.
//
// A ticket is the number of one requested birth, never used twice: a late message cannot be taken for another lane's.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.hpp"
#include "hardwork/error.hpp"
#include "os/channel.hpp"
#include "os/fd.hpp"

namespace hardwork::zygote {

using base::Result;

inline constexpr std::int32_t kProtocolVersion = 1;

enum class Kind : std::uint32_t { hello = 1, birth, kill, stop, born, birth_failed, died };

enum class Sender { parent, child };  // child: the template, or a worker that is being born

struct Packet {
    Kind kind = Kind::hello;
    std::uint64_t ticket = 0;
    std::uint32_t lane = 0;  // HELLO: see above
    std::int32_t pid = 0;
    std::int32_t number = 0;  // HELLO: version; BIRTH_FAILED: errno
    ExitStatus status{};      // DIED
    // As the kind says. Empty for BIRTH and BORN when the receiver has no descriptor left: the kernel drops what it
    // cannot install, and the rest of the message is good.
    std::vector<os::Fd> fds;
};

enum class Received { packet, closed, refused };

// Sends; `fds` stay the caller's. May block while the peer does not read.
Status send(os::Channel& channel, const Packet& packet, std::span<const int> fds = {});

// Receives one packet from `sender` into `packet`. refused: no message of ours, nothing was changed.
Received receive(os::Channel& channel, Sender sender, Packet& packet);

// The parser by itself, for tests and fuzzing.
Result<Packet> decode(os::Message&& message, Sender sender);
std::vector<std::byte> encode(const Packet& packet);

}  // namespace hardwork::zygote
