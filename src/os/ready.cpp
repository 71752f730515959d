#include "os/ready.hpp"

#include <cerrno>

#include "os/clock.hpp"
#include "os/futex.hpp"

namespace hardwork::os {

void ReadySet::wait(std::uint64_t deadline_ns) {
    for (;;) {
        timespec left{};
        const bool endless = deadline_ns == kNoDeadline;
        if (!endless) {
            const std::uint64_t now = now_ns();
            const std::uint64_t wait_ns = now < deadline_ns ? deadline_ns - now : 0;
            left.tv_sec = static_cast<time_t>(wait_ns / 1'000'000'000);
            left.tv_nsec = static_cast<long>(wait_ns % 1'000'000'000);
        }
        for (pollfd& one : all_)
            one.revents = 0;
        if (ppoll(all_.data(), all_.size(), endless ? nullptr : &left, nullptr) >= 0 || errno != EINTR) return;
    }
}

}  // namespace hardwork::os
