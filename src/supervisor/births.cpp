// How requested births become processes: through the template, or each as a child of our own.
#include <utility>

#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/duplicate.hpp"
#include "os/futex.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"
#include "supervisor/supervisor_impl.hpp"

namespace hardwork {
namespace {

constexpr std::uint32_t kMostStartsWithoutBirth = 4;  // the first, and three more
constexpr const char* kStartTemplate = "start the template process";
constexpr const char* kStartWorker = "start a worker";
constexpr const char* kWatchWorker = "watch a worker (pidfd)";

}  // namespace

void SupervisorImpl::send_births() {
    while (const auto ticket = state_->registry.next_waiting()) {
        Birth& birth = *state_->registry.find(*ticket);
        if (stopping_) {
            fail(*ticket, Error{Errc::shut_down, 0, kStartWorker});
        } else if (!source_.uses_template()) {
            state_->registry.set_sent(birth, 0);
            start_own(*ticket, birth);
        } else if (!ask_template(*ticket, birth)) {
            return;
        }
        if (stop_wanted_.load() && !stopping_) return;
    }
}

bool SupervisorImpl::ask_template(std::uint64_t ticket, Birth& birth) {
    if (!state_->process) {
        if (starts_without_birth_ >= kMostStartsWithoutBirth) {
            // Whoever asks again later gets another chance: how often is the engine's decision.
            starts_without_birth_ = 0;
            fail_waiting(Error{Errc::system, os::kNoChild, kStartTemplate});
            return false;
        }
        if (auto started = start_template(); !started) {
            fail_waiting(started.error());
            return false;
        }
    }
    TemplateProcess& process = *state_->process;
    if (process.dying() || process.full()) return false;
    const auto asked = process.ask(ticket, birth, os::now_ns());
    if (asked) {
        state_->registry.set_sent(birth, process.generation());
        return true;
    }
    const int code = asked.error().sys_errno;
    if (code == os::kBrokenPipe || code == os::kConnectionReset) {  // it waits for the next one
        dismiss_template();
        return false;
    }
    fail(ticket, Error{Errc::system, code, kStartWorker});
    return true;
}

// No lock is held: the source may need the interpreter's.
Status SupervisorImpl::start_template() {
    ++starts_without_birth_;
    ++generation_;
    state_->registry.locked([this] { state_->process.emplace(generation_); });
    TemplateProcess& process = *state_->process;
    auto status = process.start(source_, state_->input.get(), state_->parent.get());
    if (status) {
        status = state_->poller.add(process.channel_fd(), channel_token(generation_));
        if (status) status = state_->poller.add(process.pidfd(), template_end_token(generation_));
        if (status) return status;
        state_->poller.remove(process.channel_fd());
        process.end(times_.stop_grace_ns);
    }
    state_->registry.locked([this] { state_->process.reset(); });
    --starts_without_birth_;  // one that could not be started has its own error, and did not die
    return status;
}

void SupervisorImpl::start_own(std::uint64_t ticket, Birth& birth) {
    // A worker that cannot be watched must not come to life: keep a descriptor's place for its pidfd.
    auto place = os::duplicate(state_->notifier.fd());
    if (!place) return fail(ticket, Error{Errc::system, place.error().sys_errno, kStartWorker});
    const WorkerSetup setup{birth.lane_fd.get(), state_->input.get(), state_->parent.get(),
                            state_->program.reader.get()};
    std::int32_t pid = 0;
    const int code = source_.start_worker(setup, pid);
    HARDWORK_FAULT_POINT();
    place.value().reset();
    if (code != 0) return fail(ticket, Error{Errc::system, code, kStartWorker});
    auto pidfd = os::open_pidfd(pid);
    if (!pidfd && pidfd.error().sys_errno == os::kNoProcess) {
        // Ended and reaped already: by somebody else, or by the kernel where SIGCHLD is ignored.
        birth.pid = pid;
        return report_death(ticket, ExitStatus{});
    }
    if (!pidfd) return fail(ticket, Error{Errc::system, pidfd.error().sys_errno, kWatchWorker});
    if (const auto added = state_->poller.add(pidfd.value().get(), ticket); !added) {
        os::send_signal(pidfd.value(), os::kSigKill);
        os::wait_readable(pidfd.value().get(), os::kNoDeadline);
        static_cast<void>(os::reap(pidfd.value()));
        return fail(ticket, Error{Errc::system, added.error().sys_errno, kWatchWorker});
    }
    adopt(birth, pid, pidfd.take());
}

void SupervisorImpl::on_born(zygote::Packet&& packet) {
    Birth* birth = state_->registry.find(packet.ticket);
    if (birth == nullptr || birth->state != Birth::State::sent) {
        // Of a birth that was given up. Cannot happen by the protocol, and must not leave a process if it does.
        if (!packet.fds.empty()) os::send_signal(packet.fds[0], os::kSigKill);
        return;
    }
    os::Fd pidfd = packet.fds.empty() ? os::Fd() : std::move(packet.fds[0]);
    if (!pidfd || !state_->poller.add(pidfd.get(), packet.ticket)) {
        // The birth fails when the template says that this process is gone, not before: until then its lane is in use.
        if (!pidfd) state_->process->ask_kill(packet.ticket);
        state_->process->excuse(os::now_ns());
        state_->registry.set_unwatched(*birth, packet.pid, std::move(pidfd));
        return;
    }
    starts_without_birth_ = 0;
    state_->process->answered(os::now_ns());
    adopt(*birth, packet.pid, std::move(pidfd));
}

void SupervisorImpl::adopt(Birth& birth, std::int32_t pid, os::Fd pidfd) {
    state_->registry.set_alive(birth, pid, std::move(pidfd));
    listener_.on_born(birth.lane, pid);
}

void SupervisorImpl::fail(std::uint64_t ticket, Error why) {
    const Birth birth = state_->registry.take(ticket);
    listener_.on_birth_failed(birth.lane, why);
}

void SupervisorImpl::fail_waiting(Error why) {
    for (const auto ticket : state_->registry.in_state(Birth::State::waiting))
        fail(ticket, why);
}

}  // namespace hardwork
