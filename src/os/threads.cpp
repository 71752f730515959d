#include "os/threads.hpp"

#include <dirent.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hardwork::os {

namespace {

#if defined(__SANITIZE_THREAD__)
constexpr bool kThreadSanitizer = true;
#elif defined(__has_feature)
constexpr bool kThreadSanitizer = __has_feature(thread_sanitizer);
#else
constexpr bool kThreadSanitizer = false;
#endif

// ThreadSanitizer has a thread of its own in every program, and in a forked one two: they block what can be blocked.
bool is_sanitizers(long id) {
    char path[64];
    char line[128];
    std::snprintf(path, sizeof path, "/proc/self/task/%ld/status", id);
    std::FILE* file = std::fopen(path, "re");
    if (file == nullptr) return false;
    unsigned long long blocked = 0;
    while (std::fgets(line, sizeof line, file) != nullptr) {
        if (std::sscanf(line, "SigBlk: %llx", &blocked) == 1) break;
    }
    std::fclose(file);
    constexpr unsigned long long kAsked = 1ULL << (SIGINT - 1) | 1ULL << (SIGTERM - 1) | 1ULL << (SIGUSR1 - 1) |
                                          1ULL << (SIGPROF - 1) | 1ULL << (SIGCHLD - 1);
    return (blocked & kAsked) == kAsked;
}

}  // namespace

int foreign_threads() {
    DIR* tasks = opendir("/proc/self/task");
    if (tasks == nullptr) return 0;
    const long self = syscall(SYS_gettid);
    int count = 0;
    while (const dirent* entry = readdir(tasks)) {
        const long id = std::strtol(entry->d_name, nullptr, 10);
        if (id <= 0 || id == self) continue;
        char path[64];
        char name[32] = {};
        std::snprintf(path, sizeof path, "/proc/self/task/%ld/comm", id);
        std::FILE* file = std::fopen(path, "re");
        if (file == nullptr) continue;  // it has just ended
        const bool named = std::fgets(name, sizeof name, file) != nullptr;
        std::fclose(file);
        if (!named || std::strncmp(name, "hardwork-", 9) == 0) continue;
        if (kThreadSanitizer && is_sanitizers(id)) continue;
        ++count;
    }
    closedir(tasks);
    return count;
}

}  // namespace hardwork::os
