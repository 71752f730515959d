#include "os/life.hpp"

#include <linux/futex.h>

#include <cstdlib>
#include <string>

#include "hardwork/fault.hpp"
#include "os/cgroup.hpp"
#include "os/process.hpp"

namespace hardwork::os {

namespace {

constexpr unsigned long kExiting = 4;  // PF_EXITING of the kernel's include/linux/sched.h
// Fields of /proc/PID/stat, as proc_pid_stat(5) numbers them.
constexpr int kState = 3;
constexpr int kFlags = 9;
constexpr int kExitCode = 52;

std::string stat_of(std::int32_t pid) { return read_file("/proc/" + std::to_string(pid) + "/stat"); }

}  // namespace

void LifeMark::prepare() {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&mutex_, &attributes);
    pthread_mutexattr_destroy(&attributes);
}

void LifeMark::hold() {
    if (pthread_mutex_lock(&mutex_) != 0) return;
    HARDWORK_FAULT_POINT();
    // The kernel wakes nobody without this bit, which a thread sets that waits to lock. Nobody ever does that here.
    word().fetch_or(FUTEX_WAITERS, std::memory_order_relaxed);
}

void LifeMark::let_go() {
    pthread_mutex_unlock(&mutex_);
    HARDWORK_FAULT_POINT();
}

// All of glibc's architectures have it first in a mutex.
Atomic<std::uint32_t>& LifeMark::word() { return *reinterpret_cast<Atomic<std::uint32_t>*>(&mutex_); }

bool LifeMark::ended(std::uint32_t value) { return (value & FUTEX_OWNER_DIED) != 0; }

std::optional<ExitStatus> ending_status(std::int32_t pid) {
    const std::string text = stat_of(pid);
    std::size_t at = text.rfind(')');  // the name, in parentheses, may have any bytes in it
    unsigned long flags = 0;
    int code = 0;
    for (int field = kState; field <= kExitCode; ++field) {
        at = text.find(' ', at);
        if (at == std::string::npos) return std::nullopt;
        ++at;
        if (field == kFlags) flags = std::strtoul(text.c_str() + at, nullptr, 10);
        if (field == kExitCode) code = static_cast<int>(std::strtol(text.c_str() + at, nullptr, 10));
    }
    if ((flags & kExiting) == 0) return std::nullopt;
    return code != 0 ? status_of(code) : ExitStatus{};
}

bool is_stopped(std::int32_t pid) {
    const std::string text = stat_of(pid);
    const std::size_t end = text.rfind(')');
    return end != std::string::npos && text.compare(end, 3, ") T") == 0;
}

}  // namespace hardwork::os
