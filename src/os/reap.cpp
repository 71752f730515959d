#include "os/reap.hpp"

#include <sys/wait.h>

#include <cerrno>

namespace hardwork::os {

std::optional<ExitStatus> reap(const Fd& pidfd) {
    // musl and older glibc have no P_PIDFD; the number is the kernel's (include/uapi/linux/wait.h).
    constexpr auto by_pidfd = static_cast<idtype_t>(3);
    siginfo_t info{};
    int done;
    do {
        done = waitid(by_pidfd, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG);
    } while (done < 0 && errno == EINTR);
    if (done < 0) return ExitStatus{};
    if (info.si_pid == 0) return std::nullopt;
    if (info.si_code == CLD_EXITED) return ExitStatus{ExitStatus::Kind::exited, info.si_status};
    return ExitStatus{ExitStatus::Kind::signaled, info.si_status};
}

}  // namespace hardwork::os
