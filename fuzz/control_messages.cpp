// What a template or a worker that is being born says to the parent, and the parent to it: any bytes, with and without
// descriptors. What is taken for a message must be one that can be said again.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "os/duplicate.hpp"
#include "zygote/protocol.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace hardwork;
    if (size == 0) return 0;
    const std::uint8_t how = data[0];
    os::Message message;
    message.bytes.resize(size - 1);
    if (size > 1) std::memcpy(message.bytes.data(), data + 1, size - 1);
    for (int i = 0; i < (how >> 1) % 4; ++i) {
        if (auto copy = os::duplicate(2)) message.fds.push_back(copy.take());
    }
    const zygote::Sender sender = (how & 1) != 0 ? zygote::Sender::child : zygote::Sender::parent;
    auto packet = zygote::decode(std::move(message), sender);
    if (!packet) return 0;
    os::Message again;
    again.bytes = zygote::encode(packet.value());
    again.fds = std::move(packet.value().fds);
    const zygote::Packet& first = packet.value();
    auto second = zygote::decode(std::move(again), sender);
    if (!second || second.value().kind != first.kind || second.value().ticket != first.ticket ||
        second.value().lane != first.lane || second.value().pid != first.pid || second.value().number != first.number ||
        second.value().status.value != first.status.value) {
        std::fprintf(stderr, "a message was read, and cannot be said again\n");
        std::abort();
    }
    return 0;
}
