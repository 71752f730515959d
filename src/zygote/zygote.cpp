// The template process: forks workers, reaps them, tells the parent. Single-threaded, so that fork(2) is safe.
#include <map>
#include <optional>
#include <vector>

#include "hardwork/births.hpp"
#include "hardwork/fault.hpp"
#include "os/channel_ends.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/disposition.hpp"
#include "os/futex.hpp"
#include "os/identity.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"
#include "zygote/protocol.hpp"

namespace hardwork {
namespace {

using zygote::Kind;
using zygote::Packet;
using zygote::Received;
using zygote::Sender;

constexpr std::uint64_t kSecond = 1'000'000'000;
// HELLO lies in the channel before the template is started, so waiting for it means that there is none.
constexpr std::uint64_t kHelloPatience = 5 * kSecond;
constexpr std::uint64_t kReapPatience = 10 * kSecond;
constexpr std::uint64_t kUnwatchedPause = kSecond / 10;
constexpr std::uint64_t kChannelToken = ~std::uint64_t{0};
constexpr std::uint64_t kParentToken = kChannelToken - 1;
constexpr int kExitProtocol = 76;  // EX_PROTOCOL of sysexits.h
constexpr int kExitSystem = 71;    // EX_OSERR

class Template {
  public:
    Template(int channel_fd, TemplateHooks& hooks) : channel_(os::Fd(channel_fd)), hooks_(hooks) {}
    int serve();

  private:
    struct Worker {
        std::uint32_t lane;
        std::int32_t pid;
        os::Fd pidfd;  // none when the system refused one: then it is looked at now and then
    };

    bool greet();
    int loop();
    // A value is the exit code: the template's when the channel has closed, a worker's in a worker.
    std::optional<int> on_message();
    std::optional<int> on_birth(Packet&& birth);
    int live_as_worker(const Packet& birth, os::Fd lane_fd);
    void watch(std::uint64_t ticket, Worker& worker);
    void on_ended(std::uint64_t ticket);
    void look_after_unwatched();
    int end_all();
    bool tell(const Packet& packet, std::span<const int> fds = {});

    os::Channel channel_;
    TemplateHooks& hooks_;
    os::Disposition interrupt_ =
        os::Disposition::ignored(os::kSigInt);                       // the terminal's Ctrl-C is the parent's business
    os::Disposition pipe_ = os::Disposition::ignored(os::kSigPipe);  // a closed channel is an error value
    os::Disposition child_ =
        os::Disposition::defaulted(os::kSigChild);  // a parent that ignores it would cost exit statuses
    os::Fd parent_;
    os::Fd input_;
    os::Poller poller_;
    std::map<std::uint64_t, Worker> workers_;  // by ticket
    std::size_t unwatched_ = 0;
    bool stopping_ = false;
};

int Template::serve() {
    if (!greet()) return kExitProtocol;
    auto poller = os::Poller::create();
    if (!poller) return kExitSystem;
    poller_ = poller.take();
    if (!poller_.add(channel_.fd(), kChannelToken) || !poller_.add(parent_.get(), kParentToken)) return kExitSystem;
    return loop();
}

bool Template::greet() {
    if (!os::wait_readable(channel_.fd(), os::now_ns() + kHelloPatience)) return false;
    Packet hello;
    if (zygote::receive(channel_, Sender::parent, hello) != Received::packet) return false;
    if (hello.kind != Kind::hello || hello.number != zygote::kProtocolVersion) return false;
    // A template that was forked has a copy of the parent's end. With it the channel would never close, and a parent that
    // executes another program ends nothing else: its pidfd stands for that program then.
    const auto copy = static_cast<int>(hello.lane);
    if (copy != channel_.fd() && hello.ticket != 0 && os::identity_of(copy).inode == hello.ticket) os::Fd(copy).reset();
    parent_ = std::move(hello.fds[0]);
    input_ = std::move(hello.fds[1]);
    Packet ready;
    ready.number = zygote::kProtocolVersion;
    return tell(ready);
}

int Template::loop() {
    std::uint64_t tokens[64];
    for (;;) {
        if (stopping_ && workers_.empty()) return 0;
        const auto deadline = unwatched_ == 0 ? os::kNoDeadline : os::now_ns() + kUnwatchedPause;
        const std::size_t ready = poller_.wait(tokens, deadline);
        for (std::size_t i = 0; i < ready; ++i) {
            if (tokens[i] == kParentToken) return end_all();
            if (tokens[i] == kChannelToken) {
                if (const auto code = on_message()) return *code;
            } else {
                on_ended(tokens[i]);
            }
        }
        if (unwatched_ != 0) look_after_unwatched();
    }
}

std::optional<int> Template::on_message() {
    Packet packet;
    switch (zygote::receive(channel_, Sender::parent, packet)) {
        case Received::closed: return end_all();
        case Received::refused: return std::nullopt;
        case Received::packet: break;
    }
    if (packet.kind == Kind::birth) return on_birth(std::move(packet));
    if (packet.kind == Kind::stop) stopping_ = true;
    if (packet.kind == Kind::kill) {
        const auto found = workers_.find(packet.ticket);
        if (found != workers_.end() && found->second.pidfd) os::send_signal(found->second.pidfd, os::kSigKill);
    }
    return std::nullopt;
}

std::optional<int> Template::on_birth(Packet&& birth) {
    Packet failed;
    failed.kind = Kind::birth_failed;
    failed.ticket = birth.ticket;
    failed.lane = birth.lane;
    if (stopping_ || birth.fds.empty()) {
        failed.number = stopping_ ? os::kCanceled : os::kNoDescriptors;
        tell(failed);
        return std::nullopt;
    }
    os::Fd lane_fd = std::move(birth.fds[0]);
    os::clear_last_error();
    HARDWORK_FAULT_POINT();
    const std::int32_t pid = hooks_.fork_worker();
    // Until the parent knows of it there is only the template to end it. A template has one thread.
    if (pid == 0) os::die_with_parent(true);
    HARDWORK_FAULT_POINT();
    if (pid == 0) return live_as_worker(birth, std::move(lane_fd));
    if (pid < 0) {
        failed.number = os::last_error() != 0 ? os::last_error() : os::kTryAgain;
        tell(failed);
        return std::nullopt;
    }
    lane_fd.reset();  // before the pidfd, so that there is a descriptor for it
    const auto made = workers_.emplace(birth.ticket, Worker{birth.lane, pid, os::Fd()}).first;
    ++unwatched_;
    watch(birth.ticket, made->second);
    HARDWORK_FAULT_POINT();
    return std::nullopt;
}

// In the child.
int Template::live_as_worker(const Packet& birth, os::Fd lane_fd) {
    poller_ = os::Poller();
    workers_.clear();  // closes the pidfds of the siblings: nothing of the template's leaks into user code
    Packet born;
    born.kind = Kind::born;
    born.ticket = birth.ticket;
    born.lane = birth.lane;
    born.pid = os::self_pid();
    auto self = os::open_pidfd(born.pid);
    if (!self) {
        born.kind = Kind::birth_failed;
        born.number = self.error().sys_errno;
        tell(born);
        return kExitSystem;
    }
    HARDWORK_FAULT_POINT();
    const int self_fd = self.value().get();
    // Not heard means not born: the parent may have given the lane to another worker by now.
    if (!tell(born, std::span<const int>(&self_fd, 1))) return kExitSystem;
    os::die_with_parent(false);
    HARDWORK_FAULT_POINT();
    self.value().reset();
    channel_.close();
    pipe_.restore();
    child_.restore();
    interrupt_.restore();
    const WorkerSetup setup{lane_fd.release(), input_.release(), parent_.release(), -1};
    return hooks_.worker_main(setup);
}

void Template::watch(std::uint64_t ticket, Worker& worker) {
    // The number cannot have a new owner: nobody reaps this child but us.
    auto pidfd = os::open_pidfd(worker.pid);
    if (!pidfd) return;
    if (!poller_.add(pidfd.value().get(), ticket)) return;
    worker.pidfd = pidfd.take();
    --unwatched_;
}

void Template::on_ended(std::uint64_t ticket) {
    const auto found = workers_.find(ticket);
    if (found == workers_.end()) return;
    Worker& worker = found->second;
    const auto status = worker.pidfd ? os::reap(worker.pidfd) : os::reap(worker.pid);
    if (!status) return;
    Packet died;
    died.kind = Kind::died;
    died.ticket = ticket;
    died.lane = worker.lane;
    died.pid = worker.pid;
    died.status = *status;
    HARDWORK_FAULT_POINT();
    tell(died);
    HARDWORK_FAULT_POINT();
    if (worker.pidfd) {
        poller_.remove(worker.pidfd.get());  // closing is not enough while a child being born holds a copy
    } else {
        --unwatched_;
    }
    workers_.erase(found);
}

void Template::look_after_unwatched() {
    for (auto next = workers_.begin(); next != workers_.end();) {
        const auto at = next++;
        if (at->second.pidfd) continue;
        watch(at->first, at->second);
        if (!at->second.pidfd) on_ended(at->first);
    }
}

// The parent has ended, or wants no more of us: nothing must remain.
int Template::end_all() {
    poller_.remove(channel_.fd());
    poller_.remove(parent_.get());
    channel_.close();
    for (auto& [ticket, worker] : workers_) {
        if (worker.pidfd) os::send_signal(worker.pidfd, os::kSigKill);
    }
    const auto deadline = os::now_ns() + kReapPatience;
    std::uint64_t tokens[64];
    // One without a pidfd cannot be signalled; it watches the parent by itself.
    while (workers_.size() > unwatched_ && os::now_ns() < deadline) {
        const std::size_t ready = poller_.wait(tokens, deadline);
        for (std::size_t i = 0; i < ready; ++i)
            on_ended(tokens[i]);
    }
    return 0;
}

bool Template::tell(const Packet& packet, std::span<const int> fds) {
    // A parent that is stopped does not read, and when it is killed then, a copy of its end of the channel may live on
    // in a process it forked: only its pidfd tells.
    if (!channel_ || !os::wait_writable_or(channel_.fd(), parent_.get())) return false;
    return zygote::send(channel_, packet, fds).ok();
}

}  // namespace

int serve_template(int channel_fd, TemplateHooks& hooks) {
    Template process(channel_fd, hooks);
    return process.serve();
}

}  // namespace hardwork
