// Linked to the tests in builds with AddressSanitizer, where a fork beside other threads waits until they are quiet. GCC's
// does not take the locks of its allocator and of its list of threads around a fork, as glibc does with its own, so that a
// child which is forked while another thread allocates, begins or ends may wait for ever.
#include <pthread.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <system_error>

namespace {

// Asleep or gone: then it holds none of those locks.
bool others_sleep() {
    const std::string self = std::to_string(gettid());
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        if (thread.path().filename() == self) continue;
        std::ifstream file(thread.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const std::size_t end = stat.rfind(") ");
        if (end != std::string::npos && stat[end + 2] != 'S') return false;
    }
    return !gone;
}

// Several looks: one that has just been born, or is woken by a worker that is, goes on in a moment. Not for long: in some
// tests the others never sleep.
void wait_until_others_sleep() {
    int quiet = 0;
    for (int look = 0; look < 300 && quiet < 5; ++look) {
        if (look != 0) usleep(1'000);
        quiet = others_sleep() ? quiet + 1 : 0;
    }
}

bool alone() {
    std::error_code gone;
    const std::filesystem::directory_iterator threads("/proc/self/task", gone);
    return !gone && std::distance(threads, {}) == 1;
}

[[gnu::constructor]] void fork_quietly() {
    pthread_atfork(
        [] {
            if (!alone()) wait_until_others_sleep();
        },
        nullptr, nullptr);
}

}  // namespace
