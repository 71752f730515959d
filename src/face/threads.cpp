#include "face/threads.hpp"

#include <chrono>
#include <thread>

#include "os/threads.hpp"

namespace hardwork::face {

namespace {

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

// A thread that was joined can be seen in /proc a little longer, and one of the engine's names itself when it begins.
constexpr int kLooks = 50;
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

int count_other_threads() {
    int count = os::foreign_threads() - kSanitizerThreads;
    for (int look = 1; count > 0 && look < kLooks; ++look) {
        std::this_thread::sleep_for(kPause);
        count = os::foreign_threads() - kSanitizerThreads;
    }
    return count > 0 ? count : 0;
}

}  // namespace hardwork::face
