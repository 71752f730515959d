#include "zygote/protocol.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <random>

namespace hardwork::zygote {
namespace {

os::Message message_of(const Packet& packet, std::size_t fds) {
    os::Message message;
    message.bytes = encode(packet);
    for (std::size_t i = 0; i < fds; ++i)
        message.fds.emplace_back(dup(0));
    return message;
}

Packet of_kind(Kind kind) {
    Packet packet;
    packet.kind = kind;
    packet.ticket = 0x123456789abcdefULL;
    packet.lane = 77;
    packet.pid = 4711;
    packet.number = 11;
    packet.status = {ExitStatus::Kind::signaled, 9};
    return packet;
}

TEST(Protocol, CarriesEveryField) {
    const auto decoded = decode(message_of(of_kind(Kind::died), 0), Sender::child);
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded.value().kind, Kind::died);
    EXPECT_EQ(decoded.value().ticket, 0x123456789abcdefULL);
    EXPECT_EQ(decoded.value().lane, 77U);
    EXPECT_EQ(decoded.value().pid, 4711);
    EXPECT_EQ(decoded.value().number, 11);
    EXPECT_EQ(decoded.value().status.kind, ExitStatus::Kind::signaled);
    EXPECT_EQ(decoded.value().status.value, 9);
}

TEST(Protocol, ChecksDescriptorsAndDirection) {
    struct Case {
        Kind kind;
        Sender sender;
        std::size_t fds;
        bool good;
    };
    const Case cases[] = {
        {Kind::hello, Sender::parent, 2, true},       {Kind::hello, Sender::parent, 1, false},
        {Kind::hello, Sender::child, 0, true},        {Kind::hello, Sender::child, 2, false},
        {Kind::birth, Sender::parent, 1, true},       {Kind::birth, Sender::parent, 0, true},
        {Kind::birth, Sender::parent, 2, false},      {Kind::birth, Sender::child, 1, false},
        {Kind::born, Sender::child, 1, true},         {Kind::born, Sender::child, 0, true},
        {Kind::born, Sender::parent, 1, false},       {Kind::died, Sender::child, 1, false},
        {Kind::birth_failed, Sender::child, 0, true}, {Kind::birth_failed, Sender::parent, 0, false},
        {Kind::kill, Sender::parent, 0, true},        {Kind::kill, Sender::child, 0, false},
        {Kind::stop, Sender::parent, 0, true},        {Kind::stop, Sender::parent, 1, false},
    };
    for (const auto& c : cases) {
        const bool good = decode(message_of(of_kind(c.kind), c.fds), c.sender).ok();
        EXPECT_EQ(good, c.good) << static_cast<unsigned>(c.kind) << " with " << c.fds;
    }
}

TEST(Protocol, RefusesWrongSizesKindsAndPids) {
    auto message = message_of(of_kind(Kind::died), 0);
    message.bytes.pop_back();
    EXPECT_FALSE(decode(std::move(message), Sender::child));
    message = message_of(of_kind(Kind::died), 0);
    message.bytes.push_back(std::byte{0});
    EXPECT_FALSE(decode(std::move(message), Sender::child));
    EXPECT_FALSE(decode(os::Message{}, Sender::child));
    EXPECT_FALSE(decode(message_of(of_kind(static_cast<Kind>(0)), 0), Sender::child));
    EXPECT_FALSE(decode(message_of(of_kind(static_cast<Kind>(8)), 0), Sender::child));
    auto packet = of_kind(Kind::died);
    packet.pid = -1;
    EXPECT_FALSE(decode(message_of(packet, 0), Sender::child));
    packet = of_kind(Kind::died);
    packet.status.kind = static_cast<ExitStatus::Kind>(3);
    EXPECT_FALSE(decode(message_of(packet, 0), Sender::child));
}

TEST(Protocol, AnyBytesAreAValueOrAnError) {
    std::mt19937 random(7);
    int good = 0;
    for (int round = 0; round < 20000; ++round) {
        auto message = message_of(of_kind(static_cast<Kind>(random() % 9)), 0);
        for (auto flips = random() % 3; flips > 0; --flips) {
            message.bytes[random() % message.bytes.size()] = static_cast<std::byte>(random());
        }
        if (const auto decoded = decode(std::move(message), Sender::child)) {
            ++good;
            EXPECT_LE(static_cast<unsigned>(decoded.value().kind), 7U);
        }
    }
    EXPECT_GT(good, 0);
}

TEST(Protocol, TravelsOverAChannel) {
    auto ends = os::Channel::pair();
    ASSERT_TRUE(ends);
    auto& [ours, theirs] = ends.value();
    const int fd = 0;
    ASSERT_TRUE(send(ours, of_kind(Kind::birth), std::span<const int>(&fd, 1)));
    ours.close();
    Packet packet;
    EXPECT_EQ(receive(theirs, Sender::parent, packet), Received::packet);
    EXPECT_EQ(packet.kind, Kind::birth);
    EXPECT_EQ(packet.fds.size(), 1U);
    EXPECT_EQ(receive(theirs, Sender::parent, packet), Received::closed);
}

TEST(Protocol, AMessageOutlivesItsDescriptors) {
    auto ends = os::Channel::pair();
    ASSERT_TRUE(ends);
    auto& [ours, theirs] = ends.value();
    const int fd = 0;
    ASSERT_TRUE(send(ours, of_kind(Kind::born), std::span<const int>(&fd, 1)));
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    rlimit none = before;
    none.rlim_cur = 3;
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    Packet packet;
    const auto received = receive(theirs, Sender::child, packet);
    ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    ASSERT_EQ(received, Received::packet);
    EXPECT_EQ(packet.pid, 4711);
    EXPECT_TRUE(packet.fds.empty());
}

TEST(Protocol, ForeignMessageIsRefusedAndTheNextOneRead) {
    auto ends = os::Channel::pair();
    ASSERT_TRUE(ends);
    auto& [ours, theirs] = ends.value();
    const std::byte noise[3] = {};
    ASSERT_TRUE(ours.send(noise));
    ASSERT_TRUE(send(ours, of_kind(Kind::stop)));
    Packet packet;
    EXPECT_EQ(receive(theirs, Sender::parent, packet), Received::refused);
    EXPECT_EQ(receive(theirs, Sender::parent, packet), Received::packet);
    EXPECT_EQ(packet.kind, Kind::stop);
}

}  // namespace
}  // namespace hardwork::zygote
