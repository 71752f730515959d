#include "face/seed.hpp"

#include <cstring>
#include <exception>
#include <map>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "face/template_life.hpp"
#include "face/threads.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/template.hpp"
#include "os/channel.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/disposition.hpp"
#include "os/futex.hpp"
#include "os/memory.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"

namespace hardwork {

namespace face {

namespace {

// To fork and to answer takes a millisecond; one that was stopped from outside is not waited for.
constexpr std::uint64_t kAnswerPatienceNs = 10'000'000'000;
constexpr std::uint64_t kChannelToken = ~std::uint64_t{0};
constexpr std::uint64_t kProgramToken = kChannelToken - 1;

// The program's side.
struct Made {
    std::mutex lock;
    os::Channel channel;
    std::int32_t owner = 0;  // the process that has made it, and not a fork of that
};
// Never destroyed: pools of the program's static objects may still want it.
Made& made() {
    static auto* const one = new Made;
    return *one;
}

struct Request {
    Initializer::Run run = nullptr;
    std::uint64_t length = 0;  // of its state, in the memory that comes along
};

// The seed's side. Everything in it is done by one thread.
class SeedLife {
  public:
    SeedLife(os::Channel channel, os::Fd program) : channel_(std::move(channel)), program_(std::move(program)) {}

    int serve() {
        auto poller = os::Poller::create();
        if (!poller) return 1;
        poller_ = poller.take();
        if (!poller_.add(channel_.fd(), kChannelToken) || !poller_.add(program_.get(), kProgramToken)) return 1;
        std::uint64_t tokens[16];
        for (;;) {
            const std::size_t ready = poller_.wait(tokens, os::kNoDeadline);
            for (std::size_t i = 0; i < ready; ++i) {
                if (tokens[i] == kProgramToken) return 0;
                if (tokens[i] != kChannelToken) {
                    on_ended(tokens[i]);
                } else if (!on_request()) {
                    return 0;
                }
            }
        }
    }

  private:
    // False when the program has closed its end.
    bool on_request() {
        auto message = channel_.receive();
        if (!message || message.value().bytes.empty()) return false;
        std::int32_t answer = -os::kNoDescriptors;
        Request request;
        const std::vector<std::byte>& bytes = message.value().bytes;
        if (bytes.size() == sizeof request) {
            std::memcpy(&request, bytes.data(), sizeof request);
            std::vector<os::Fd>& fds = message.value().fds;
            if (fds.size() == (request.length != 0 ? 2U : 1U)) answer = fork_template(request, fds);
        }
        return channel_.send(std::as_bytes(std::span(&answer, 1))).ok();
    }

    std::int32_t fork_template(const Request& request, std::vector<os::Fd>& fds) {
        os::Mapping state;
        if (request.length != 0) {
            auto mapped = os::Mapping::map(fds[1].get(), 0, request.length, os::Access::private_copy);
            if (!mapped) return -mapped.error().sys_errno;
            state = mapped.take();
        }
        const auto forked = os::fork_process();
        if (!forked) return -forked.error().sys_errno;
        const std::int32_t pid = forked.value();
        if (pid == 0) {
            poller_ = os::Poller();
            templates_.clear();
            channel_.close();
            program_.reset();
            child_.restore();
            interrupt_.restore();
            if (request.length != 0) fds[1].reset();
            if (request.run == nullptr) live_as_template(fds[0].release(), nullptr);
            live_as_template(fds[0].release(), [&] { request.run({state.data(), request.length}); });
        }
        // One that cannot be watched is not reaped before this process ends: that is all.
        if (auto pidfd = os::open_pidfd(pid);
            pidfd && poller_.add(pidfd.value().get(), static_cast<std::uint64_t>(pid)))
            templates_.emplace(static_cast<std::uint64_t>(pid), pidfd.take());
        return pid;
    }

    void on_ended(std::uint64_t token) {
        const auto found = templates_.find(token);
        if (found == templates_.end()) return;
        static_cast<void>(os::reap(found->second));
        poller_.remove(found->second.get());
        templates_.erase(found);
    }

    os::Channel channel_;
    os::Fd program_;
    // Ctrl-C is the program's business, and a handler of the program's could take the templates' ends from here. Workers
    // have both as the program had them.
    os::Disposition interrupt_ = os::Disposition::ignored(os::kSigInt);
    os::Disposition child_ = os::Disposition::defaulted(os::kSigChild);
    os::Poller poller_;
    std::map<std::uint64_t, os::Fd> templates_;  // by process id
};

[[noreturn]] void live_as_seed(os::Channel channel, os::Fd program) noexcept {
    SeedLife life(std::move(channel), std::move(program));
    os::exit_now(life.serve());
}

}  // namespace

void Seed::make() {
    auto program = os::open_pidfd(os::self_pid());
    if (!program) throw SystemError(program.error());
    auto ends = os::Channel::pair();
    if (!ends) throw SystemError(ends.error());
    flush_outputs();
    const auto forked = os::fork_process();
    if (!forked) throw SystemError(forked.error());
    if (forked.value() == 0) {
        ends.value().first.close();
        live_as_seed(std::move(ends.value().second), program.take());
    }
    Made& one = made();
    one.channel = std::move(ends.value().first);
    one.owner = os::self_pid();
}

bool Seed::exists() noexcept { return made().owner != 0 && made().owner == os::self_pid(); }

int Seed::start_template(const Initializer& initializer, int channel_fd, std::int32_t& pid) {
    if (!exists()) return os::kCanceled;
    const Request request{initializer.travelling(), initializer.state().size()};
    std::vector<int> fds{channel_fd};
    os::Fd state;
    if (request.length != 0) {
        auto memory = os::create_memory("hardwork-initializer", request.length);
        if (!memory) return memory.error().sys_errno;
        auto mapped = os::Mapping::map(memory.value().get(), 0, request.length, os::Access::read_write);
        if (!mapped) return mapped.error().sys_errno;
        std::memcpy(mapped.value().data(), initializer.state().data(), request.length);
        state = memory.take();
        fds.push_back(state.get());
    }
    Made& one = made();
    const std::lock_guard hold(one.lock);
    if (auto sent = one.channel.send(std::as_bytes(std::span(&request, 1)), fds); !sent) return sent.error().sys_errno;
    // Whoever did not answer in time could answer the next one: nothing is asked of it any more.
    if (!os::wait_readable(one.channel.fd(), os::now_ns() + kAnswerPatienceNs)) {
        one.channel.close();
        return os::kCanceled;
    }
    auto message = one.channel.receive();
    std::int32_t answer = -os::kCanceled;
    if (message && message.value().bytes.size() == sizeof answer) {
        std::memcpy(&answer, message.value().bytes.data(), sizeof answer);
    }
    if (answer < 0) return -answer;
    pid = answer;
    return 0;
}

}  // namespace face

void Template::prepare() {
    if (prepared()) return;
    if (const int others = face::count_other_threads(); others > 0) throw MultithreadedProgram(others + 1);
    face::Seed::make();
}

bool Template::prepared() noexcept { return face::Seed::exists(); }

}  // namespace hardwork
