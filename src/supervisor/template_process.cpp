#include "supervisor/template_process.hpp"

#include <utility>

#include "base/atomic.hpp"
#include "os/channel_ends.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/futex.hpp"
#include "os/identity.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"

namespace hardwork {
namespace {

constexpr const char* kStartTemplate = "start the template process";
constexpr std::uint64_t kEndWithoutPidfd = 1'000'000'000;

void pause_ns(std::uint64_t length) {
    const Atomic<std::uint32_t> never{0};
    os::futex_wait(never, 0, os::now_ns() + length);
}

}  // namespace

Status TemplateProcess::start(WorkerSource& source, int input_fd, int parent_fd) {
    auto ends = os::Channel::pair();
    if (!ends) return ends.error();
    channel_ = std::move(ends.value().first);
    os::Channel theirs = std::move(ends.value().second);
    // Before the process exists: then it never has to wait for HELLO, and one that finds none knows that we are gone.
    zygote::Packet hello;
    hello.number = zygote::kProtocolVersion;
    hello.lane = static_cast<std::uint32_t>(channel_.fd());
    hello.ticket = os::identity_of(channel_.fd()).inode;
    const int fds[] = {parent_fd, input_fd};
    if (auto sent = zygote::send(channel_, hello, fds); !sent) return sent;
    if (const int code = source.start_template(theirs.fd(), pid_); code != 0) {
        return Error{Errc::system, code, kStartTemplate};
    }
    theirs.close();  // before the pidfd, so that there is a descriptor for it
    auto pidfd = os::open_pidfd(pid_);
    if (!pidfd) {
        end_without_pidfd(kEndWithoutPidfd);
        return Error{Errc::system, pidfd.error().sys_errno, kStartTemplate};
    }
    pidfd_ = pidfd.take();
    quiet_since_ = os::now_ns();
    return {};
}

Status TemplateProcess::ask(std::uint64_t ticket, const Birth& birth, std::uint64_t now_ns) {
    zygote::Packet packet;
    packet.kind = zygote::Kind::birth;
    packet.ticket = ticket;
    packet.lane = birth.lane;
    const int fd = birth.lane_fd.get();
    auto sent = zygote::send(channel_, packet, std::span<const int>(&fd, 1));
    if (!sent) return sent;
    if (in_flight_++ == 0) quiet_since_ = now_ns;
    return {};
}

void TemplateProcess::ask_kill(std::uint64_t ticket) {
    zygote::Packet packet;
    packet.kind = zygote::Kind::kill;
    packet.ticket = ticket;
    static_cast<void>(zygote::send(channel_, packet).ok());  // a failure shows as the template's end
}

zygote::Received TemplateProcess::receive(zygote::Packet& packet) {
    return zygote::receive(channel_, zygote::Sender::child, packet);
}

void TemplateProcess::answered(std::uint64_t now_ns) {
    if (in_flight_ > 0) --in_flight_;
    quiet_since_ = now_ns;
}

void TemplateProcess::set_ready(std::uint64_t now_ns) {
    ready_ = true;
    quiet_since_ = now_ns;
}

bool TemplateProcess::has_message() const { return os::wait_readable(channel_.fd(), 0); }

void TemplateProcess::refuse_messages() { os::refuse_messages(channel_.fd()); }

void TemplateProcess::kill() {
    dying_ = true;
    os::send_signal(pidfd_, os::kSigKill);
}

void TemplateProcess::end(std::uint64_t grace_ns) {
    zygote::Packet stop;
    stop.kind = zygote::Kind::stop;
    static_cast<void>(zygote::send(channel_, stop).ok());
    os::shut_down_channel(channel_.fd());
    if (!os::wait_readable(pidfd_.get(), os::now_ns() + grace_ns)) {
        kill();
        os::wait_readable(pidfd_.get(), os::kNoDeadline);
    }
    reap();
}

void TemplateProcess::reap() {
    // It is our child, so that a zombie would be left; but not whose status anybody wants.
    static_cast<void>(os::reap(pidfd_));
}

// Descriptors have run out so far that it can be neither watched nor signalled: it is told to go, and awaited a while.
void TemplateProcess::end_without_pidfd(std::uint64_t grace_ns) {
    os::shut_down_channel(channel_.fd());
    const auto deadline = os::now_ns() + grace_ns;
    while (!os::reap(pid_) && os::now_ns() < deadline)
        pause_ns(2'000'000);
}

}  // namespace hardwork
