#include "os/life.hpp"

#include <fcntl.h>
#include <linux/futex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hardwork::os {

namespace {

constexpr unsigned long kExiting = 4;  // PF_EXITING of the kernel's include/linux/sched.h
// Fields of /proc/PID/stat, as proc_pid_stat(5) numbers them.
constexpr int kState = 3;
constexpr int kFlags = 9;
constexpr int kExitCode = 52;

// The word of the mutex that futexes are about. All of glibc's architectures have it first.
std::uint32_t* word_of(pthread_mutex_t* mutex) { return reinterpret_cast<std::uint32_t*>(mutex); }

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
    // The kernel wakes nobody without this bit, which a thread sets that waits to lock. Nobody ever does that here.
    __atomic_fetch_or(word_of(&mutex_), FUTEX_WAITERS, __ATOMIC_RELAXED);
}

void LifeMark::let_go() { pthread_mutex_unlock(&mutex_); }

const Atomic<std::uint32_t>& LifeMark::word() const {
    return *reinterpret_cast<const Atomic<std::uint32_t>*>(word_of(const_cast<pthread_mutex_t*>(&mutex_)));
}

bool LifeMark::ended(std::uint32_t value) { return (value & FUTEX_OWNER_DIED) != 0; }

std::optional<ExitStatus> ending_status(std::int32_t pid) {
    char name[32];
    std::snprintf(name, sizeof name, "/proc/%d/stat", static_cast<int>(pid));
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::nullopt;
    char text[2048];
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return std::nullopt;
    text[length] = 0;
    const char* at = std::strrchr(text, ')');  // the name, in parentheses, may have any bytes in it
    unsigned long flags = 0;
    int code = 0;
    for (int field = kState; at != nullptr && field <= kExitCode; ++field) {
        at = std::strchr(at, ' ');
        if (at == nullptr) return std::nullopt;
        ++at;
        if (field == kFlags) flags = std::strtoul(at, nullptr, 10);
        if (field == kExitCode) code = static_cast<int>(std::strtol(at, nullptr, 10));
    }
    if ((flags & kExiting) == 0) return std::nullopt;
    if (code == 0) return ExitStatus{};
    if (WIFSIGNALED(code)) return ExitStatus{ExitStatus::Kind::signaled, WTERMSIG(code)};
    return ExitStatus{ExitStatus::Kind::exited, WEXITSTATUS(code)};
}

}  // namespace hardwork::os
