#include "supervisor/supervisor_impl.hpp"

#include <algorithm>
#include <utility>

#include "os/clock.hpp"
#include "os/duplicate.hpp"
#include "os/futex.hpp"
#include "os/process.hpp"

namespace hardwork {
namespace {

// How often it is tried again to reap what somebody traces.
constexpr std::uint64_t kTracedLookNs = 10'000'000;

// The supervisor whose thread this is: it looks at everything before it sleeps, so it need not be woken.
thread_local const SupervisorImpl* running_here = nullptr;

}  // namespace

std::unique_ptr<Supervisor> make_supervisor(WorkerSource& source, SupervisorListener& listener, int input_fd,
                                            int parent_fd) {
    return make_supervisor(source, listener, input_fd, parent_fd, SupervisorTimes{});
}

std::unique_ptr<Supervisor> make_supervisor(WorkerSource& source, SupervisorListener& listener, int input_fd,
                                            int parent_fd, const SupervisorTimes& times) {
    return std::make_unique<SupervisorImpl>(source, listener, input_fd, parent_fd, times);
}

SupervisorImpl::SupervisorImpl(WorkerSource& source, SupervisorListener& listener, int input_fd, int parent_fd,
                               const SupervisorTimes& times)
    : source_(source),
      listener_(listener),
      input_fd_(input_fd),
      parent_fd_(parent_fd),
      times_(times),
      state_(std::make_unique<State>()),
      thread_(std::make_unique<os::Thread>()),
      owner_pid_(os::self_pid()) {}

SupervisorImpl::~SupervisorImpl() {
    if (os::self_pid() != owner_pid_) {
        abandon();
    } else {
        stop();
    }
}

bool SupervisorImpl::forgotten() const { return state_ == nullptr; }

Status SupervisorImpl::prepare() {
    auto poller = os::Poller::create();
    if (!poller) return poller.error();
    auto notifier = os::Notifier::create();
    if (!notifier) return notifier.error();
    auto input = os::duplicate(input_fd_);
    if (!input) return input.error();
    auto parent = os::duplicate(parent_fd_);
    if (!parent) return parent.error();
    if (!source_.uses_template()) {
        auto ends = os::make_pipe();
        if (!ends) return ends.error();
        state_->program = std::move(ends.value());
    }
    state_->poller = poller.take();
    state_->notifier = notifier.take();
    state_->input = input.take();
    state_->parent = parent.take();
    return state_->poller.add(state_->notifier.fd(), kNotifierToken);
}

Status SupervisorImpl::start() {
    if (forgotten()) return Error{Errc::forked, 0, "start the supervisor"};
    if (auto prepared = prepare(); !prepared) return prepared;
    if (source_.uses_template()) {
        if (auto started = start_template(); !started) {
            source_.end();
            return started;
        }
    }
    if (thread_->start("hardwork-super", [this] { run(); })) return {};
    if (state_->process) state_->process->end(times_.stop_grace_ns);
    state_->process.reset();
    source_.end();
    return Error{Errc::system, 0, "start the supervisor's thread"};
}

void SupervisorImpl::request_birth(std::uint32_t lane, os::Fd lane_fd) {
    if (forgotten()) return;
    if (state_->registry.add(lane, std::move(lane_fd))) wake();
}

bool SupervisorImpl::signal_worker(std::uint32_t lane, int signal) {
    return !forgotten() && state_->registry.signal(lane, signal);
}

void SupervisorImpl::wake_at(std::uint64_t deadline_ns) {
    if (!forgotten() && state_->registry.arm(deadline_ns)) wake();
}

int SupervisorImpl::population() const { return forgotten() ? 0 : state_->registry.population(); }

void SupervisorImpl::wake() {
    if (running_here != this) state_->notifier.notify();
}

void SupervisorImpl::stop() {
    if (forgotten() || os::self_pid() != owner_pid_) return;
    const std::lock_guard guard(stop_mutex_);  // a second caller returns when it is done, too
    if (!thread_->joinable()) return;
    stop_wanted_.store(true);
    state_->notifier.notify();
    thread_->join();
}

void SupervisorImpl::abandon() {
    if (forgotten()) return;
    // There is no such thread in this process: it can be neither joined nor detached.
    static_cast<void>(thread_.release());
    // Never through the poller: the parent waits on the same epoll instance.
    if (state_->registry.try_forget()) {
        state_.reset();
    } else {
        static_cast<void>(state_.release());
    }
}

void SupervisorImpl::run() {
    running_here = this;
    std::uint64_t tokens[64];
    for (;;) {
        if (stop_wanted_.load() && !stopping_) begin_stop();
        send_births();
        if (stopping_ && state_->registry.close_if_empty()) break;
        const auto deadline = state_->registry.sleep_until(next_deadline());
        const std::size_t ready = state_->poller.wait(tokens, deadline);
        const bool timer_due = state_->registry.take_timer(os::now_ns());
        for (std::size_t i = 0; i < ready; ++i)
            dispatch(tokens[i]);
        expire();
        if (timer_due) listener_.on_timer();
    }
    if (state_->process) {
        state_->poller.remove(state_->process->channel_fd());
        state_->poller.remove(state_->process->pidfd());
        state_->process->end(times_.stop_grace_ns);
        state_->registry.locked([this] { state_->process.reset(); });
        reap_inherited();
    }
    for (const auto until = os::now_ns() + times_.stop_grace_ns; !state_->traced.empty() && os::now_ns() < until;) {
        state_->notifier.clear();
        state_->poller.wait(tokens, os::now_ns() + kTracedLookNs);
        reap_traced();
    }
    source_.end();
}

void SupervisorImpl::dispatch(std::uint64_t token) {
    if (token == kNotifierToken) {
        state_->notifier.clear();
    } else if ((token & kTemplateBit) == 0) {
        on_worker_ended(token);
    } else if (token == channel_token(generation_)) {
        on_template_message();
    } else if (token == template_end_token(generation_)) {
        on_template_ended();
    }
}

std::uint64_t SupervisorImpl::next_deadline() const {
    std::uint64_t deadline = answer_deadline();
    if (stopping_ && state_->process && !state_->process->dying()) deadline = std::min(deadline, stop_deadline_);
    if (awaited_statuses_ != 0) {
        for (const auto ticket : state_->registry.in_state(Birth::State::ended)) {
            deadline = std::min(deadline, state_->registry.find(ticket)->status_deadline);
        }
    }
    if (!state_->traced.empty()) deadline = std::min(deadline, os::now_ns() + kTracedLookNs);
    return deadline;
}

void SupervisorImpl::expire() {
    const auto now = os::now_ns();
    if (awaited_statuses_ != 0) expire_statuses(now);
    if (!state_->traced.empty()) reap_traced();
    if (!state_->process || state_->process->dying()) return;
    if (stopping_ && now >= stop_deadline_) {
        // Births that are not answered now, and workers that only the template can end, wait for its end alone.
        if (state_->process->in_flight() != 0) dismiss_template();
        stop_deadline_ = os::kNoDeadline;
        return;
    }
    const auto deadline = answer_deadline();
    if (now < deadline || state_->process->has_message()) return;
    if (now - deadline > times_.late_ns) {
        state_->process->excuse(now);
    } else {
        dismiss_template();
    }
}

void SupervisorImpl::begin_stop() {
    stopping_ = true;
    stop_deadline_ = os::now_ns() + times_.stop_grace_ns;
    for (const auto state : {Birth::State::sent, Birth::State::alive}) {
        for (const auto ticket : state_->registry.in_state(state)) {
            state_->registry.kill(*state_->registry.find(ticket));
        }
    }
}

}  // namespace hardwork
