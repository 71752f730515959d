#include "supervisor/registry.hpp"

#include <algorithm>
#include <utility>

#include "hardwork/fault.hpp"
#include "os/codes.hpp"
#include "os/process.hpp"

namespace hardwork {

bool Registry::add(std::uint32_t lane, os::Fd lane_fd) {
    const std::lock_guard guard(mutex_);
    if (closed_) return false;
    Birth birth;
    birth.lane = lane;
    birth.lane_fd = std::move(lane_fd);
    births_.emplace(next_ticket_, std::move(birth));
    waiting_.push_back(next_ticket_++);
    return true;
}

bool Registry::signal(std::uint32_t lane, int signal) {
    const std::lock_guard guard(mutex_);
    const auto found =
        std::find_if(births_.rbegin(), births_.rend(), [lane](auto& e) { return e.second.lane == lane; });
    if (found == births_.rend()) return false;
    Birth& birth = found->second;
    switch (birth.state) {
        case Birth::State::alive: return os::send_signal(birth.pidfd, signal);
        case Birth::State::waiting:
        case Birth::State::sent:
            if (signal == os::kSigKill) birth.kill_when_born = true;
            return birth.kill_when_born;
        case Birth::State::unwatched:
        case Birth::State::ended: break;
    }
    return false;
}

int Registry::population() const {
    const std::lock_guard guard(mutex_);
    return static_cast<int>(births_.size());
}

bool Registry::arm(std::uint64_t deadline_ns) {
    const std::lock_guard guard(mutex_);
    timer_ = deadline_ns == os::kNoDeadline ? deadline_ns : std::min(timer_, deadline_ns);
    return timer_ < sleeping_until_;
}

Birth* Registry::find(std::uint64_t ticket) {
    const std::lock_guard guard(mutex_);
    const auto found = births_.find(ticket);
    return found == births_.end() ? nullptr : &found->second;
}

std::optional<std::uint64_t> Registry::next_waiting() {
    const std::lock_guard guard(mutex_);
    if (waiting_.empty()) return std::nullopt;
    return waiting_.front();
}

std::vector<std::uint64_t> Registry::in_state(Birth::State state) const {
    const std::lock_guard guard(mutex_);
    std::vector<std::uint64_t> tickets;
    for (const auto& [ticket, birth] : births_) {
        if (birth.state == state) tickets.push_back(ticket);
    }
    return tickets;
}

// Only what is first in the queue is sent.
void Registry::set_sent(Birth& birth, std::uint64_t generation) {
    const std::lock_guard guard(mutex_);
    birth.state = Birth::State::sent;
    birth.generation = generation;
    waiting_.pop_front();
    HARDWORK_FAULT_POINT();
}

void Registry::set_waiting(std::uint64_t ticket) {
    const std::lock_guard guard(mutex_);
    births_.at(ticket).state = Birth::State::waiting;
    waiting_.insert(std::lower_bound(waiting_.begin(), waiting_.end(), ticket), ticket);
    HARDWORK_FAULT_POINT();
}

void Registry::set_alive(Birth& birth, std::int32_t pid, os::Fd pidfd) {
    const std::lock_guard guard(mutex_);
    birth.state = Birth::State::alive;
    birth.pid = pid;
    birth.pidfd = std::move(pidfd);
    birth.lane_fd.reset();
    if (birth.kill_when_born) os::send_signal(birth.pidfd, os::kSigKill);
    HARDWORK_FAULT_POINT();
}

void Registry::set_unwatched(Birth& birth, std::int32_t pid, os::Fd pidfd) {
    const std::lock_guard guard(mutex_);
    birth.state = Birth::State::unwatched;
    birth.pid = pid;
    birth.pidfd = std::move(pidfd);
    birth.lane_fd.reset();
    if (birth.pidfd) os::send_signal(birth.pidfd, os::kSigKill);
    HARDWORK_FAULT_POINT();
}

void Registry::set_ended(Birth& birth, std::uint64_t status_deadline) {
    const std::lock_guard guard(mutex_);
    birth.state = Birth::State::ended;
    birth.status_deadline = status_deadline;
    HARDWORK_FAULT_POINT();
}

void Registry::kill(Birth& birth) {
    const std::lock_guard guard(mutex_);
    birth.kill_when_born = true;
    if (birth.pidfd) os::send_signal(birth.pidfd, os::kSigKill);
}

Birth Registry::take(std::uint64_t ticket) {
    const std::lock_guard guard(mutex_);
    auto node = births_.extract(ticket);
    if (node.mapped().state == Birth::State::waiting) std::erase(waiting_, ticket);
    return std::move(node.mapped());
}

std::uint64_t Registry::sleep_until(std::uint64_t deadline_ns) {
    const std::lock_guard guard(mutex_);
    sleeping_until_ = std::min(deadline_ns, timer_);
    return sleeping_until_;
}

bool Registry::take_timer(std::uint64_t now_ns) {
    const std::lock_guard guard(mutex_);
    sleeping_until_ = 0;  // awake: whoever arms the timer now need not wake us
    if (timer_ > now_ns) return false;
    timer_ = os::kNoDeadline;
    return true;
}

bool Registry::close_if_empty() {
    const std::lock_guard guard(mutex_);
    closed_ = births_.empty();
    return closed_;
}

bool Registry::try_forget() {
    if (!mutex_.try_lock()) return false;
    births_.clear();
    waiting_.clear();
    closed_ = true;
    mutex_.unlock();
    return true;
}

}  // namespace hardwork
