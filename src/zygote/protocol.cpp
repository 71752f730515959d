#include "zygote/protocol.hpp"

#include <cstring>
#include <type_traits>

#include "os/channel_ends.hpp"
#include "os/codes.hpp"

namespace hardwork::zygote {
namespace {

inline constexpr std::uint32_t kMagic = 0x48575a31;  // "HWZ1"

struct Wire {
    std::uint32_t magic;
    std::uint32_t kind;
    std::uint64_t ticket;
    std::uint32_t lane;
    std::int32_t pid;
    std::int32_t number;
    std::uint32_t status_kind;
    std::int32_t status_value;
    std::uint32_t zero;
};
static_assert(std::is_trivially_copyable_v<Wire> && sizeof(Wire) == 40, "no padding: every byte is checked");

struct Shape {
    Sender sender;
    std::size_t fds;
    bool may_lack_fds;
};

// How a message of this kind looks; false when there is none.
bool shape_of(std::uint32_t kind, Sender sender, Shape& shape) {
    switch (static_cast<Kind>(kind)) {
        case Kind::hello: shape = {sender, sender == Sender::parent ? 2U : 0U, false}; return true;
        case Kind::birth: shape = {Sender::parent, 1, true}; return true;
        case Kind::kill: shape = {Sender::parent, 0, false}; return true;
        case Kind::stop: shape = {Sender::parent, 0, false}; return true;
        case Kind::born: shape = {Sender::child, 1, true}; return true;
        case Kind::birth_failed: shape = {Sender::child, 0, false}; return true;
        case Kind::died: shape = {Sender::child, 0, false}; return true;
    }
    return false;
}

}  // namespace

std::vector<std::byte> encode(const Packet& packet) {
    const Wire wire{kMagic,
                    static_cast<std::uint32_t>(packet.kind),
                    packet.ticket,
                    packet.lane,
                    packet.pid,
                    packet.number,
                    static_cast<std::uint32_t>(packet.status.kind),
                    packet.status.value,
                    0};
    std::vector<std::byte> bytes(sizeof wire);
    std::memcpy(bytes.data(), &wire, sizeof wire);
    return bytes;
}

Result<Packet> decode(os::Message&& message, Sender sender) {
    const Error bad{Errc::invalid_argument, os::kBadProtocol, "read a message of the template's channel"};
    Wire wire{};
    if (message.bytes.size() != sizeof wire) return bad;
    std::memcpy(&wire, message.bytes.data(), sizeof wire);
    Shape shape{};
    if (wire.magic != kMagic || wire.zero != 0 || !shape_of(wire.kind, sender, shape)) return bad;
    if (shape.sender != sender) return bad;
    const bool lacks_fds = shape.may_lack_fds && message.fds.empty();
    if (message.fds.size() != shape.fds && !lacks_fds) return bad;
    if (wire.status_kind > static_cast<std::uint32_t>(ExitStatus::Kind::signaled)) return bad;

    Packet packet;
    packet.kind = static_cast<Kind>(wire.kind);
    packet.ticket = wire.ticket;
    packet.lane = wire.lane;
    packet.pid = wire.pid;
    packet.number = wire.number;
    packet.status = {static_cast<ExitStatus::Kind>(wire.status_kind), wire.status_value};
    packet.fds = std::move(message.fds);
    if ((packet.kind == Kind::born || packet.kind == Kind::died) && packet.pid <= 0) return bad;
    return packet;
}

Status send(os::Channel& channel, const Packet& packet, std::span<const int> fds) {
    const auto bytes = encode(packet);
    return channel.send(bytes, fds);
}

Received receive(os::Channel& channel, Sender sender, Packet& packet) {
    auto message = os::receive_what_fits(channel.fd());
    if (!message) {
        // A reset is a peer that is gone with messages unread; anything else concerns this message alone.
        const int code = message.error().sys_errno;
        const bool gone = code == os::kConnectionReset || code == os::kBrokenPipe || code == os::kNotConnected ||
                          code == os::kBadDescriptor;
        return gone ? Received::closed : Received::refused;
    }
    if (message.value().bytes.empty()) return Received::closed;
    auto decoded = decode(message.take(), sender);
    if (!decoded) return Received::refused;
    packet = decoded.take();
    return Received::packet;
}

}  // namespace hardwork::zygote
