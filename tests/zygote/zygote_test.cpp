// The template's side alone: the test plays the parent.
#include "process_fixture.hpp"

#include <fcntl.h>

#include "os/channel_ends.hpp"
#include "os/poll.hpp"
#include "os/reap.hpp"
#include "zygote/protocol.hpp"

namespace hardwork::testing {
namespace {

using zygote::Kind;
using zygote::Packet;
using zygote::Received;
using zygote::Sender;

class ZygoteTest : public ::testing::Test {
  protected:
    void SetUp() override {
        auto ends = os::Channel::pair();
        ASSERT_TRUE(ends);
        ours_ = std::move(ends.value().first);
        theirs_ = std::move(ends.value().second);
    }

    void TearDown() override {
        ours_.close();
        if (pidfd_) {
            os::send_signal(pidfd_, SIGKILL);
            wait_for_end();
        }
    }

    void start(bool greet, int parent_fd) {
        if (greet) {
            Packet hello;
            hello.number = zygote::kProtocolVersion;
            const os::Fd input = make_lane("input");
            const int fds[] = {parent_fd, input.get()};
            ASSERT_TRUE(zygote::send(ours_, hello, fds));
        }
        const int pid = fork();
        if (pid == 0) {
            const int channel = theirs_.release().release();
            ours_.close();
            _exit(serve_template(channel, hooks_));
        }
        theirs_.close();
        auto pidfd = os::open_pidfd(pid);
        ASSERT_TRUE(pidfd);
        pidfd_ = pidfd.take();
    }

    void start() {
        auto self = os::open_pidfd(os::self_pid());
        ASSERT_TRUE(self);
        start(true, self.value().get());
        Packet ready;
        receive(ready);
        ASSERT_EQ(ready.kind, Kind::hello);
        ASSERT_EQ(ready.number, zygote::kProtocolVersion);
    }

    void receive(Packet& packet) {
        ASSERT_TRUE(os::wait_readable(ours_.fd(), os::now_ns() + kWatchdogNs));
        ASSERT_EQ(zygote::receive(ours_, Sender::child, packet), Received::packet);
    }

    void ask(std::uint64_t ticket, int lane_fd) {
        Packet birth;
        birth.kind = Kind::birth;
        birth.ticket = ticket;
        birth.lane = static_cast<std::uint32_t>(ticket + 100);
        ASSERT_TRUE(zygote::send(ours_, birth, std::span<const int>(&lane_fd, 1)));
    }

    void say(Kind kind, std::uint64_t ticket = 0) {
        Packet packet;
        packet.kind = kind;
        packet.ticket = ticket;
        ASSERT_TRUE(zygote::send(ours_, packet));
    }

    ExitStatus wait_for_end() {
        EXPECT_TRUE(os::wait_readable(pidfd_.get(), os::now_ns() + kWatchdogNs));
        const auto status = os::reap(pidfd_);
        pidfd_.reset();
        return status.value_or(ExitStatus{});
    }

    void expect_clean_end() {
        const auto status = wait_for_end();
        EXPECT_EQ(status.kind, ExitStatus::Kind::exited);
        EXPECT_EQ(status.value, 0);
    }

    PlainHooks hooks_;
    os::Channel ours_;
    os::Channel theirs_;
    os::Fd pidfd_;
};

TEST_F(ZygoteTest, BornAndDied) {
    start();
    const os::Fd lane = make_lane("exit 7");
    ask(5, lane.get());
    Packet packet;
    receive(packet);
    ASSERT_EQ(packet.kind, Kind::born);
    EXPECT_EQ(packet.ticket, 5U);
    EXPECT_EQ(packet.lane, 105U);
    ASSERT_EQ(packet.fds.size(), 1U);
    const int pid = packet.pid;
    receive(packet);
    ASSERT_EQ(packet.kind, Kind::died);
    EXPECT_EQ(packet.ticket, 5U);
    EXPECT_EQ(packet.pid, pid);
    EXPECT_EQ(packet.status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(packet.status.value, 7);
}

TEST_F(ZygoteTest, StopWaitsForWorkersAndServesNoMoreBirths) {
    start();
    const os::Fd lane = make_lane("wait");
    ask(1, lane.get());
    Packet born;
    receive(born);
    say(Kind::stop);
    ask(2, lane.get());
    Packet packet;
    receive(packet);
    EXPECT_EQ(packet.kind, Kind::birth_failed);
    EXPECT_EQ(packet.number, ECANCELED);
    os::send_signal(born.fds[0], SIGTERM);
    receive(packet);
    EXPECT_EQ(packet.kind, Kind::died);
    EXPECT_EQ(packet.status.kind, ExitStatus::Kind::signaled);
    EXPECT_EQ(packet.status.value, SIGTERM);
    expect_clean_end();
}

TEST_F(ZygoteTest, KillByTicket) {
    start();
    const os::Fd lane = make_lane("deaf");
    ask(3, lane.get());
    Packet packet;
    receive(packet);
    say(Kind::kill, 99);
    say(Kind::kill, 3);
    receive(packet);
    EXPECT_EQ(packet.kind, Kind::died);
    EXPECT_EQ(packet.status.value, SIGKILL);
}

TEST_F(ZygoteTest, ClosedChannelEndsEverything) {
    start();
    const os::Fd lane = make_lane("deaf");
    Packet born[3];
    for (auto& packet : born) {
        ask(static_cast<std::uint64_t>(&packet - born) + 1, lane.get());
        receive(packet);
        ASSERT_EQ(packet.kind, Kind::born);
    }
    ours_.close();
    expect_clean_end();
    for (auto& packet : born)
        EXPECT_TRUE(os::has_ended(packet.fds[0]));
}

TEST_F(ZygoteTest, EndOfTheParentEndsEverything) {
    const int parent = fork();
    if (parent == 0) {
        for (;;)
            pause();
    }
    auto parent_fd = os::open_pidfd(parent);
    ASSERT_TRUE(parent_fd);
    start(true, parent_fd.value().get());
    Packet packet;
    receive(packet);
    const os::Fd lane = make_lane("deaf");
    ask(1, lane.get());
    receive(packet);
    os::send_signal(parent_fd.value(), SIGKILL);
    expect_clean_end();
    EXPECT_TRUE(os::has_ended(packet.fds[0]));
    EXPECT_TRUE(eventually([&] { return os::reap(parent_fd.value()).has_value(); }));
}

TEST_F(ZygoteTest, WorkerHasNothingOfItsSiblings) {
    start();
    const os::Fd waiting = make_lane("wait");
    Packet packet;
    std::vector<os::Fd> pidfds;
    char counted[3] = {};
    for (std::uint64_t i = 0; i < 3; ++i) {
        const os::Fd lane = make_lane("descriptors");
        ask(10 + i, lane.get());
        receive(packet);
        ASSERT_EQ(packet.kind, Kind::born);
        pidfds.push_back(std::move(packet.fds[0]));
        ASSERT_TRUE(eventually([&] { return read_at(lane.get(), kAnswer) != 0; }));
        counted[i] = read_at(lane.get(), kAnswer);
        ask(20 + i, waiting.get());
        receive(packet);
        pidfds.push_back(std::move(packet.fds[0]));
    }
    // What differs is what the test itself held when it forked the template: nothing, it forked once.
    EXPECT_EQ(counted[0], counted[1]);
    EXPECT_EQ(counted[0], counted[2]);
}

TEST_F(ZygoteTest, InterruptsAreIgnoredByTheTemplateOnly) {
    start();
    const os::Fd lane = make_lane("interrupt");
    ask(1, lane.get());
    Packet packet;
    receive(packet);
    os::send_signal(pidfd_, SIGINT);
    ASSERT_TRUE(eventually([&] { return read_at(lane.get(), kAnswer) != 0; }));
    EXPECT_EQ(read_at(lane.get(), kAnswer), 'd');
    ask(2, lane.get());
    receive(packet);
    EXPECT_EQ(packet.kind, Kind::born);
}

TEST_F(ZygoteTest, ForeignMessagesAreIgnored) {
    start();
    const std::byte noise[100] = {};
    ASSERT_TRUE(ours_.send(noise));
    const os::Fd lane = make_lane("wait");
    ask(1, lane.get());
    Packet packet;
    receive(packet);
    EXPECT_EQ(packet.kind, Kind::born);
}

TEST_F(ZygoteTest, EndsWithoutHello) {
    start(false, -1);
    ours_.close();
    const auto status = wait_for_end();
    EXPECT_EQ(status.kind, ExitStatus::Kind::exited);
    EXPECT_NE(status.value, 0);
}

TEST_F(ZygoteTest, WrongVersionEnds) {
    Packet hello;
    hello.number = zygote::kProtocolVersion + 1;
    auto self = os::open_pidfd(os::self_pid());
    ASSERT_TRUE(self);
    const int fds[] = {self.value().get(), self.value().get()};
    ASSERT_TRUE(zygote::send(ours_, hello, fds));
    start(false, -1);
    EXPECT_NE(wait_for_end().value, 0);
}

TEST_F(ZygoteTest, NobodyIsBornWhomTheParentDoesNotHear) {
    start();
    os::refuse_messages(ours_.fd());
    const os::Fd lane = make_lane("wait");
    ask(1, lane.get());
    say(Kind::stop);
    expect_clean_end();  // at once: the worker ended by itself
    EXPECT_EQ(read_at(lane.get(), kBirthCounter), 0);
}

class FailingHooks : public PlainHooks {
  public:
    std::int32_t fork_worker() override {
        errno = EAGAIN;
        return -1;
    }
};

TEST(Zygote, FailedForkIsReported) {
    auto ends = os::Channel::pair();
    ASSERT_TRUE(ends);
    auto& [ours, theirs] = ends.value();
    auto self = os::open_pidfd(os::self_pid());
    ASSERT_TRUE(self);
    const int fds[] = {self.value().get(), self.value().get()};
    Packet packet;
    packet.number = zygote::kProtocolVersion;
    ASSERT_TRUE(zygote::send(ours, packet, fds));
    packet.kind = Kind::birth;
    packet.ticket = 8;
    ASSERT_TRUE(zygote::send(ours, packet, std::span<const int>(fds, 1)));
    packet.kind = Kind::stop;
    ASSERT_TRUE(zygote::send(ours, packet));
    FailingHooks hooks;
    // In this very process: it forks nothing, and a STOP without workers returns.
    EXPECT_EQ(serve_template(theirs.release().release(), hooks), 0);
    EXPECT_EQ(zygote::receive(ours, Sender::child, packet), Received::packet);
    EXPECT_EQ(zygote::receive(ours, Sender::child, packet), Received::packet);
    EXPECT_EQ(packet.kind, Kind::birth_failed);
    EXPECT_EQ(packet.ticket, 8U);
    EXPECT_EQ(packet.number, EAGAIN);
}

}  // namespace
}  // namespace hardwork::testing
