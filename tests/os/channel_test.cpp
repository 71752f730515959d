#include "os/channel.hpp"

#include <dirent.h>
#include <pthread.h>
#include <sys/socket.h>

#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "base/atomic.hpp"
#include "os/channel_ends.hpp"
#include "os/memory.hpp"
#include "os/poll.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

Bytes bytes_of(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string text_of(const Message& message) {
    return std::string(reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size());
}

std::pair<Channel, Channel> make_pair() {
    auto pair = Channel::pair();
    EXPECT_TRUE(pair);
    return pair.take();
}

// Never blocks for ever: a message that does not come is a failure.
Message receive(Channel& channel) {
    if (!wait_readable(channel.fd(), now_ns() + testing::kLongNs)) {
        ADD_FAILURE() << "no message";
        return {};
    }
    auto message = channel.receive();
    EXPECT_TRUE(message) << message.error().what;
    return message ? message.take() : Message{};
}

int count_open() {
    int count = 0;
    DIR* folder = opendir("/proc/self/fd");
    if (folder == nullptr) return -1;
    while (readdir(folder) != nullptr)
        ++count;
    closedir(folder);
    return count;
}

TEST(Channel, KeepsMessagesApart) {
    auto [left, right] = make_pair();
    EXPECT_TRUE(testing::is_close_on_exec(left.fd()));
    EXPECT_TRUE(testing::is_close_on_exec(right.fd()));
    ASSERT_TRUE(left.send(bytes_of("first")));
    ASSERT_TRUE(left.send(bytes_of("second message")));
    ASSERT_TRUE(right.send(bytes_of("back")));
    EXPECT_EQ(text_of(receive(right)), "first");
    EXPECT_EQ(text_of(receive(right)), "second message");
    EXPECT_EQ(text_of(receive(left)), "back");
}

TEST(Channel, TheLongestMessageAndOneMore) {
    auto [left, right] = make_pair();
    const std::string longest(4096, 'm');
    ASSERT_TRUE(left.send(bytes_of(longest)));
    EXPECT_EQ(text_of(receive(right)), longest);
    const Status refused = left.send(bytes_of(longest + "m"));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
}

TEST(Channel, AnEmptyMessageIsRefused) {
    auto [left, right] = make_pair();
    const Status refused = left.send({});
    ASSERT_FALSE(refused) << "the peer could not tell it from a closed channel";
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
    EXPECT_FALSE(wait_readable(right.fd(), 0));
}

TEST(Channel, PassesDescriptors) {
    auto [left, right] = make_pair();
    auto memory = create_memory("test", page_size());
    ASSERT_TRUE(memory);
    auto mapping = Mapping::map(memory.value().get(), 0, page_size(), Access::read_write);
    ASSERT_TRUE(mapping);
    mapping.value().data()[4] = std::byte{44};
    const int fds[] = {memory.value().get()};
    ASSERT_TRUE(left.send(bytes_of("take this"), fds));
    memory.value().reset();
    const Message message = receive(right);
    EXPECT_EQ(text_of(message), "take this");
    ASSERT_EQ(message.fds.size(), 1U);
    EXPECT_TRUE(testing::is_close_on_exec(message.fds[0].get()));
    auto same = Mapping::map(message.fds[0].get(), 0, page_size(), Access::read_only);
    ASSERT_TRUE(same);
    EXPECT_EQ(same.value().data()[4], std::byte{44});
}

TEST(Channel, PassesDescriptorsToAnotherProcess) {
    auto [left, right] = make_pair();
    int ends[2];
    ASSERT_EQ(pipe2(ends, O_CLOEXEC), 0);
    const Fd out(ends[0]);
    Fd in(ends[1]);
    Channel& theirs = right;
    testing::Child child([&] {
        close(ends[1]);
        auto message = theirs.receive();
        if (!message || message.value().fds.size() != 1) return 1;
        return write(message.value().fds[0].get(), "hello", 5) == 5 ? 0 : 2;
    });
    const int fds[] = {in.get()};
    ASSERT_TRUE(left.send(bytes_of("x"), fds));
    ASSERT_TRUE(wait_readable(out.get(), now_ns() + testing::kLongNs));
    char text[8] = {};
    EXPECT_EQ(read(out.get(), text, sizeof text), 5);
    EXPECT_STREQ(text, "hello");
    EXPECT_EQ(child.wait(), 0);
}

TEST(Channel, AsManyDescriptorsAsItMay) {
    auto [left, right] = make_pair();
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    const std::vector<int> most(kMaxChannelFds, null.get());
    const int before = count_open();
    ASSERT_TRUE(left.send(bytes_of("all"), most));
    {
        const Message message = receive(right);
        EXPECT_EQ(message.fds.size(), kMaxChannelFds);
    }
    EXPECT_EQ(count_open(), before);
    const std::vector<int> too_many(kMaxChannelFds + 1, null.get());
    const Status refused = left.send(bytes_of("more"), too_many);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Errc::invalid_argument);
}

TEST(Channel, ABadDescriptorIsAnError) {
    auto [left, right] = make_pair();
    const int bad[] = {-1};
    const Status refused = left.send(bytes_of("x"), bad);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().sys_errno, EBADF);
}

TEST(Channel, AClosedPeerGivesAnEmptyMessage) {
    auto [left, right] = make_pair();
    ASSERT_TRUE(left.send(bytes_of("last words")));
    left.close();
    EXPECT_EQ(text_of(receive(right)), "last words");
    EXPECT_TRUE(receive(right).bytes.empty());
    EXPECT_TRUE(receive(right).bytes.empty());
}

TEST(Channel, AKilledPeerGivesAnEmptyMessage) {
    auto [left, right] = make_pair();
    testing::Child child([]() -> int {
        for (;;)
            pause();
    });
    right.close();  // the child has a copy
    child.kill();
    EXPECT_TRUE(receive(left).bytes.empty());
}

// Would end the test program if a SIGPIPE were raised.
TEST(Channel, SendingToAClosedPeerIsAnErrorWithoutASignal) {
    auto [left, right] = make_pair();
    right.close();
    for (int i = 0; i < 3; ++i) {
        const Status sent = left.send(bytes_of("x"));
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.error().sys_errno, EPIPE);
    }
}

TEST(Channel, APeerThatClosedWithMessagesUnreadIsAClosedPeer) {
    {
        auto [left, right] = make_pair();
        ASSERT_TRUE(left.send(bytes_of("never read")));
        right.close();
        const Status sent = left.send(bytes_of("x"));
        ASSERT_FALSE(sent);
        EXPECT_EQ(sent.error().sys_errno, EPIPE);  // the kernel says ECONNRESET
    }
    auto [left, right] = make_pair();
    ASSERT_TRUE(left.send(bytes_of("never read")));
    right.close();
    EXPECT_TRUE(receive(left).bytes.empty());
}

// What a peer that does not keep to our rules can put on the wire.
TEST(Channel, DescriptorsOfAnEmptyPacketDoNotLeak) {
    auto [left, right] = make_pair();
    const Fd null(open("/dev/null", O_RDONLY | O_CLOEXEC));
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {};
    msghdr header{};
    header.msg_control = control;
    header.msg_controllen = sizeof control;
    cmsghdr* rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    const int number = null.get();
    std::memcpy(CMSG_DATA(rights), &number, sizeof number);
    ASSERT_GE(sendmsg(left.fd(), &header, 0), 0);
    const int before = count_open();
    {
        auto message = right.receive();
        ASSERT_TRUE(message);
        EXPECT_TRUE(message.value().bytes.empty());
    }
    EXPECT_EQ(count_open(), before);
}

TEST(Channel, ATooLongPacketIsAnErrorAndTheNextOneComes) {
    auto [left, right] = make_pair();
    const std::string huge(9000, 'h');
    ASSERT_EQ(send(left.fd(), huge.data(), huge.size(), 0), 9000);
    ASSERT_TRUE(left.send(bytes_of("good")));
    const auto cut = right.receive();
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().sys_errno, EMSGSIZE);
    EXPECT_EQ(text_of(receive(right)), "good");
}

TEST(Channel, ReceiveRestartsAfterSignals) {
    const testing::Interrupting usr1(SIGUSR1);
    auto [left, right] = make_pair();
    Channel& ours = right;
    std::string got;
    Atomic<bool> done{false};
    std::thread receiver([&] {
        auto message = ours.receive();
        got = message ? text_of(message.value()) : "error";
        done = true;
    });
    for (int i = 0; i < 20; ++i) {
        pthread_kill(receiver.native_handle(), SIGUSR1);
        usleep(500);
    }
    EXPECT_FALSE(done);
    EXPECT_TRUE(left.send(bytes_of("through")));
    receiver.join();
    EXPECT_EQ(got, "through");
}

TEST(Channel, ReleaseGivesTheDescriptorAway) {
    auto [left, right] = make_pair();
    EXPECT_TRUE(left);
    Channel again(left.release());
    EXPECT_FALSE(left);
    ASSERT_TRUE(again.send(bytes_of("x")));
    EXPECT_EQ(text_of(receive(right)), "x");
    const auto nothing = Channel().receive();
    ASSERT_FALSE(nothing);
    EXPECT_EQ(nothing.error().sys_errno, EBADF);
}

TEST(ChannelEnds, RefusedMessagesFailButWhatArrivedIsRead) {
    auto [left, right] = make_pair();
    ASSERT_TRUE(left.send(bytes_of("in time")));
    refuse_messages(right.fd());
    const Status late = left.send(bytes_of("late"));
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().sys_errno, EPIPE);
    EXPECT_EQ(text_of(receive(right)), "in time");
    EXPECT_TRUE(receive(right).bytes.empty());
    ASSERT_TRUE(right.send(bytes_of("the other way still works")));
    EXPECT_EQ(text_of(receive(left)), "the other way still works");
}

TEST(ChannelEnds, ShutDownReachesThePeerThoughACopyIsOpen) {
    auto [left, right] = make_pair();
    const Fd copy(fcntl(left.fd(), F_DUPFD_CLOEXEC, 0));
    ASSERT_TRUE(left.send(bytes_of("before")));
    shut_down_channel(left.fd());
    EXPECT_EQ(text_of(receive(right)), "before");
    EXPECT_TRUE(receive(right).bytes.empty());
    EXPECT_FALSE(right.send(bytes_of("x")));
}

TEST(ChannelEnds, WaitsForRoomOrForTheStop) {
    auto [left, right] = make_pair();
    auto stop = Notifier::create();
    ASSERT_TRUE(stop);
    EXPECT_TRUE(wait_writable_or(left.fd(), stop.value().fd()));
    const std::string message(4096, 'f');
    while (::send(left.fd(), message.data(), message.size(), MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
    Atomic<int> result{-1};
    Channel& full = left;
    std::thread waiter([&] { result = wait_writable_or(full.fd(), stop.value().fd()) ? 1 : 0; });
    usleep(3'000);
    EXPECT_EQ(result.load(), -1) << "full, and not stopped";
    stop.value().notify();
    waiter.join();
    EXPECT_EQ(result.load(), 0);
    stop.value().clear();
    std::thread again([&] { result = wait_writable_or(full.fd(), stop.value().fd()) ? 1 : 0; });
    while (wait_readable(right.fd(), 0))
        EXPECT_FALSE(receive(right).bytes.empty());
    again.join();
    EXPECT_EQ(result.load(), 1);
}

}  // namespace
}  // namespace hardwork::os
