#include "face/seed.hpp"

#include <chrono>
#include <cstring>
#include <map>
#include <span>
#include <thread>
#include <utility>
#include <vector>

#include "face/template_life.hpp"
#include "face/threads.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/template.hpp"
#include "os/channel_ends.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/disposition.hpp"
#include "os/futex.hpp"
#include "os/generation.hpp"
#include "os/memory.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"
#include "os/signal.hpp"

namespace hardwork {

namespace face {

namespace {

// To fork and to answer takes a millisecond; one that was stopped from outside is not waited for. In short looks: where all
// was stopped, and goes on, it is given what is left of them.
constexpr int kLooks = 100;
constexpr std::uint64_t kLookNs = 100'000'000;
constexpr std::uint64_t kEndPatienceNs = 1'000'000'000;
constexpr std::uint64_t kChannelToken = ~std::uint64_t{0};
constexpr std::uint64_t kProgramToken = kChannelToken - 1;

struct Prepared {
    std::mutex lock;
    std::shared_ptr<Seed> seed;
    std::uint32_t generation = 0;
};
// Never destroyed: pools of the program's static objects may still want it.
Prepared& the_prepared() {
    static auto* const one = new Prepared;
    return *one;
}

struct Request {
    Initializer::Run run = nullptr;
    std::uint64_t length = 0;  // of its state, in the memory that comes along
};

// The seed's side. Everything in it is done by one thread.
class SeedLife {
  public:
    SeedLife(os::Channel channel, os::Fd program, const Initializer& own)
        : channel_(std::move(channel)), program_(std::move(program)), own_(own) {}

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
                    reap_all();
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
            const int channel_fd = fds[0].release();
            if (request.run != nullptr) {
                live_as_template(channel_fd, [&] { request.run({state.data(), request.length}); });
            }
            if (own_) live_as_template(channel_fd, own_);
            live_as_template(channel_fd, nullptr);
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

    // Who inherits this process's children may be the program, which knows nothing of them.
    void reap_all() {
        for (const auto& [pid, pidfd] : templates_)
            static_cast<void>(os::reap(pidfd));
    }

    os::Channel channel_;
    os::Fd program_;
    const Initializer& own_;
    // Ctrl-C is the program's business, and a handler of the program's could take the templates' ends from here. Workers
    // have both as the program had them.
    os::Disposition interrupt_ = os::Disposition::ignored(os::kSigInt);
    os::Disposition child_ = os::Disposition::defaulted(os::kSigChild);
    os::Poller poller_;
    std::map<std::uint64_t, os::Fd> templates_;  // by process id
};

[[noreturn]] void live_as_seed(os::Channel channel, os::Fd program, const Initializer& own) noexcept {
    SeedLife life(std::move(channel), std::move(program), own);
    os::exit_now(life.serve());
}

}  // namespace

std::shared_ptr<Seed> Seed::make(const Initializer& own) {
    auto program = os::open_pidfd(os::self_pid());
    if (!program) throw SystemError(program.error());
    auto ends = os::Channel::pair();
    if (!ends) throw SystemError(ends.error());
    flush_outputs();
    const auto forked = os::fork_process();
    if (!forked) throw SystemError(forked.error());
    if (forked.value() == 0) {
        ends.value().first.close();
        live_as_seed(std::move(ends.value().second), program.take(), own);
    }
    program.value().reset();  // before the next one, so that there is a descriptor for it
    ends.value().second.close();
    auto process = os::open_pidfd(forked.value());
    if (!process) {
        // It sees the closed channel. Nobody can wait for it without a descriptor, but for a while by its number.
        const Error why = process.error();
        ends.value().first.close();
        for (int look = 0; look < kLooks && !os::reap(forked.value()); ++look)
            std::this_thread::sleep_for(std::chrono::milliseconds(10));
        throw SystemError(why);
    }
    return std::make_shared<Seed>(std::move(ends.value().first), process.take());
}

std::shared_ptr<Seed> Seed::prepared() {
    Prepared& one = the_prepared();
    const std::lock_guard hold(one.lock);
    return one.seed != nullptr && one.generation == os::process_generation() ? one.seed : nullptr;
}

void Seed::set_prepared(std::shared_ptr<Seed> seed) {
    Prepared& one = the_prepared();
    const std::lock_guard hold(one.lock);
    one.seed = std::move(seed);
    one.generation = os::process_generation();
}

Seed::Seed(os::Channel channel, os::Fd process)
    : generation_(os::process_generation()), channel_(std::move(channel)), process_(std::move(process)) {}

Seed::~Seed() { end(); }

bool Seed::is_ours() const noexcept { return generation_ == os::process_generation(); }

bool Seed::lives() const noexcept { return is_ours() && process_ && !os::has_ended(process_); }

void Seed::end() noexcept {
    if (!is_ours()) return;
    const std::lock_guard hold(lock_);
    if (!process_) return;
    // Not by closing it: a process that the program has forked may have a copy.
    if (channel_) os::shut_down_channel(channel_.fd());
    if (!os::wait_readable(process_.get(), os::now_ns() + kEndPatienceNs)) {
        os::send_signal(process_, os::kSigKill);
        os::wait_readable(process_.get(), os::kNoDeadline);
    }
    static_cast<void>(os::reap(process_));
    process_.reset();
    channel_.close();
}

int Seed::start_template(const Initializer& initializer, int channel_fd, std::int32_t& pid) {
    if (!is_ours()) return os::kCanceled;
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
    const std::lock_guard hold(lock_);
    if (!channel_) return os::kCanceled;
    if (auto sent = channel_.send(std::as_bytes(std::span(&request, 1)), fds); !sent) {
        const int code = sent.error().sys_errno;
        return code == os::kBrokenPipe || code == os::kConnectionReset ? os::kCanceled : code;
    }
    const std::int32_t said = answer();
    if (said < 0) return -said;
    pid = said;
    return 0;
}

std::int32_t Seed::answer() {
    bool there = false;
    for (int look = 0; look < kLooks && !there; ++look)
        there = os::wait_readable(channel_.fd(), os::now_ns() + kLookNs);
    std::int32_t answer = 0;
    if (there) {
        const auto message = channel_.receive();
        if (message && message.value().bytes.size() == sizeof answer) {
            std::memcpy(&answer, message.value().bytes.data(), sizeof answer);
        }
    }
    if (answer != 0) return answer;
    // It has ended. Or it does not answer: then it could answer the next one, so nothing is asked of it any more.
    os::send_signal(process_, os::kSigKill);
    channel_.close();
    return -os::kCanceled;
}

}  // namespace face

void Template::prepare() {
    const auto seed = face::Seed::prepared();
    if (seed != nullptr && seed->lives()) return;
    if (const int others = face::count_other_threads(); others > 0) throw MultithreadedProgram(others + 1);
    face::Seed::set_prepared(face::Seed::make({}));
}

bool Template::prepared() noexcept { return face::Seed::prepared() != nullptr; }

}  // namespace hardwork
