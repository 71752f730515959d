#include "os/threads.hpp"

#include <dirent.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace hardwork::os {

namespace {
// ThreadSanitizer has a thread of its own in every program.
#if defined(__SANITIZE_THREAD__)
constexpr int kSanitizerThreads = 1;
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
constexpr int kSanitizerThreads = 1;
#else
constexpr int kSanitizerThreads = 0;
#endif
#else
constexpr int kSanitizerThreads = 0;
#endif
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
        if (named && std::strncmp(name, "hardwork-", 9) != 0) ++count;
    }
    closedir(tasks);
    return count > kSanitizerThreads ? count - kSanitizerThreads : 0;
}

}  // namespace hardwork::os
