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

enum class Others { none, asleep, awake };

// Asleep, or gone: then it holds none of those locks.
Others others() {
    const std::string self = std::to_string(gettid());
    Others found = Others::none;
    std::error_code gone;
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task", gone)) {
        if (thread.path().filename() == self) continue;
        std::ifstream file(thread.path() / "stat");
        std::string stat;
        std::getline(file, stat);
        const std::size_t end = stat.rfind(") ");
        if (end != std::string::npos && stat[end + 2] != 'S') return Others::awake;
        found = Others::asleep;
    }
    return gone ? Others::awake : found;
}

// Several looks: one that has just been born, or is woken by a worker that is, goes on in a moment. Not for long: in some
// tests the others never sleep.
void wait_until_others_sleep() {
    int quiet = 0;
    for (int look = 0; look < 300 && quiet < 5; ++look) {
        if (look != 0) usleep(1'000);
        const Others now = others();
        if (now == Others::none) return;
        quiet = now == Others::asleep ? quiet + 1 : 0;
    }
}

[[gnu::constructor]] void fork_quietly() { pthread_atfork(wait_until_others_sleep, nullptr, nullptr); }

}  // namespace
