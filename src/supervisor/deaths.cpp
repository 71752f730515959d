// How ends become known: of workers, and of the template itself.
#include <utility>

#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/codes.hpp"
#include "os/futex.hpp"
#include "os/life.hpp"
#include "os/process.hpp"
#include "os/reap.hpp"
#include "supervisor/supervisor_impl.hpp"

namespace hardwork {
namespace {

// An orphan's status can be read once init has reaped it (Linux 6.15): that is worth this much delay.
constexpr std::uint64_t kOrphanStatusNs = 2'000'000;
constexpr int kMostRefusedAtTheEnd = 64;

ExitStatus last_known_status(const Birth& birth) {
    if (!birth.pidfd) return {};
    // Ours: a direct child, or an orphan if this process is the one that inherits orphans (PID 1 of a container).
    const auto own = os::reap(birth.pidfd);
    if (own && own->kind != ExitStatus::Kind::unknown) return *own;
    // The template has had no CPU for a while, on a crowded machine: what it has not reaped can be looked at.
    const auto ending = os::ending_status(birth.pid);
    if (ending && ending->kind != ExitStatus::Kind::unknown && os::send_signal(birth.pidfd, 0)) return *ending;
    return os::status_from_pidfd(birth.pidfd);
}

}  // namespace

bool SupervisorImpl::bore(const Birth& birth) const {
    return state_->process && birth.generation == state_->process->generation();
}

void SupervisorImpl::on_template_message() {
    if (!state_->process) return;
    zygote::Packet packet;
    switch (state_->process->receive(packet)) {
        case zygote::Received::packet: return on_packet(std::move(packet));
        case zygote::Received::refused: return;
        case zygote::Received::closed: break;
    }
    state_->poller.remove(state_->process->channel_fd());
    dismiss_template();
}

void SupervisorImpl::on_packet(zygote::Packet&& packet) {
    const auto now = os::now_ns();
    switch (packet.kind) {
        case zygote::Kind::hello:
            if (packet.number != zygote::kProtocolVersion) return dismiss_template();
            return state_->process->set_ready(now);
        case zygote::Kind::born: return on_born(std::move(packet));
        case zygote::Kind::died: return on_died(packet);
        case zygote::Kind::birth_failed: {
            const Birth* birth = state_->registry.find(packet.ticket);
            if (birth == nullptr || birth->state != Birth::State::sent) return;
            state_->process->answered(now);
            return fail(packet.ticket, Error{Errc::system, packet.number, "fork a worker"});
        }
        case zygote::Kind::birth:
        case zygote::Kind::kill:
        case zygote::Kind::stop: return;  // ours to say; refused by the parser
    }
}

void SupervisorImpl::on_died(const zygote::Packet& packet) {
    Birth* birth = state_->registry.find(packet.ticket);
    if (birth == nullptr) {
        state_->registry.locked([&] { state_->unreaped.erase(packet.ticket); });
        return;
    }
    switch (birth->state) {
        case Birth::State::waiting: return;
        case Birth::State::unwatched:
            state_->process->answered(os::now_ns());
            return fail(packet.ticket, Error{Errc::system, os::kNoDescriptors, "watch a worker (pidfd)"});
        case Birth::State::sent:
            state_->process->answered(os::now_ns());
            birth->pid = packet.pid;
            break;
        case Birth::State::alive:
        case Birth::State::ended: break;
    }
    const bool known = packet.status.kind != ExitStatus::Kind::unknown;
    report_death(packet.ticket, known ? packet.status : last_known_status(*birth));
}

void SupervisorImpl::on_worker_ended(std::uint64_t ticket) {
    Birth* birth = state_->registry.find(ticket);
    if (birth == nullptr || birth->state != Birth::State::alive) return;
    if (bore(*birth)) return await_status(*birth, times_.exit_status_ns);
    const auto status = last_known_status(*birth);
    if (status.kind == ExitStatus::Kind::unknown && birth->generation != 0) {
        return await_status(*birth, kOrphanStatusNs);
    }
    report_death(ticket, status);
}

void SupervisorImpl::await_status(Birth& birth, std::uint64_t patience_ns) {
    state_->poller.remove(birth.pidfd.get());  // or it would be readable all the time
    state_->registry.set_ended(birth, os::now_ns() + patience_ns);
    ++awaited_statuses_;
}

void SupervisorImpl::expire_statuses(std::uint64_t now_ns) {
    for (const auto ticket : state_->registry.in_state(Birth::State::ended)) {
        Birth* birth = state_->registry.find(ticket);
        if (birth == nullptr || birth->status_deadline > now_ns) continue;
        if (bore(*birth) && !state_->process->dying() && state_->process->has_message()) continue;
        const auto status = last_known_status(*birth);
        if (bore(*birth)) {
            state_->registry.locked([&] { state_->unreaped.emplace(ticket, std::move(birth->pidfd)); });
        }
        report_death(ticket, status);
    }
}

void SupervisorImpl::report_death(std::uint64_t ticket, ExitStatus status) {
    Birth birth = state_->registry.take(ticket);
    if (birth.state == Birth::State::ended) {
        --awaited_statuses_;
    } else if (birth.pidfd) {
        // Closing alone does not end the watch while a process that somebody forked holds a copy.
        state_->poller.remove(birth.pidfd.get());
    }
    // While a debugger, strace or a leak checker's own process traces it, a zombie is not shown to its parent (wait(2)).
    if (birth.generation == 0 && birth.pidfd && !os::reap(birth.pidfd)) {
        state_->registry.locked([&] { state_->traced.push_back(std::move(birth.pidfd)); });
    }
    HARDWORK_FAULT_POINT();
    listener_.on_death(birth.lane, birth.pid, status);
    HARDWORK_FAULT_POINT();
}

void SupervisorImpl::reap_traced() {
    state_->registry.locked(
        [this] { std::erase_if(state_->traced, [](const os::Fd& pidfd) { return os::reap(pidfd).has_value(); }); });
}

std::uint64_t SupervisorImpl::answer_deadline() const {
    if (!state_->process || state_->process->dying() || state_->process->in_flight() == 0) return os::kNoDeadline;
    const auto patience = state_->process->ready() ? times_.template_answer_ns : times_.template_start_ns;
    return state_->process->quiet_since() + patience;
}

// The channel stays open until it is dead: a template that lives and sees it closed would end all its workers.
void SupervisorImpl::dismiss_template() { state_->process->kill(); }

void SupervisorImpl::on_template_ended() {
    if (!state_->process) return;
    // A birth that has not been said by now is none: whoever is still being born there cannot say it any more.
    state_->process->refuse_messages();
    // Where the other end was closed with messages of ours unread, the kernel says that once (ECONNRESET) before it
    // hands out what had arrived: only the second "closed" in a row is the end.
    int closed = 0;
    for (int refused = 0; closed < 2 && refused < kMostRefusedAtTheEnd;) {
        zygote::Packet packet;
        switch (state_->process->receive(packet)) {
            case zygote::Received::closed: ++closed; break;
            case zygote::Received::refused: ++refused; break;
            case zygote::Received::packet:
                closed = 0;
                on_packet(std::move(packet));
                break;
        }
    }
    state_->poller.remove(state_->process->channel_fd());
    state_->poller.remove(state_->process->pidfd());
    state_->process->reap();
    state_->registry.locked([this] { state_->process.reset(); });
    reap_inherited();

    Registry& registry = state_->registry;
    for (const auto ticket : registry.in_state(Birth::State::sent))
        registry.set_waiting(ticket);
    for (const auto ticket : registry.in_state(Birth::State::unwatched)) {
        fail(ticket, Error{Errc::system, os::kNoDescriptors, "watch a worker (pidfd)"});
    }
    for (const auto ticket : registry.in_state(Birth::State::ended)) {
        if (const Birth* birth = registry.find(ticket)) report_death(ticket, last_known_status(*birth));
    }
}

void SupervisorImpl::reap_inherited() {
    for (const auto& [ticket, pidfd] : state_->unreaped)
        static_cast<void>(os::reap(pidfd));
    state_->registry.locked([this] { state_->unreaped.clear(); });
}

}  // namespace hardwork
