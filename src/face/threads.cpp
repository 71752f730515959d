#include "face/threads.hpp"

#include <chrono>
#include <thread>

#include "os/threads.hpp"

namespace hardwork::face {

namespace {

// A thread that was joined can be seen in /proc a little longer, and one of the engine's names itself when it begins.
constexpr int kLooks = 50;
constexpr std::chrono::milliseconds kPause{1};

}  // namespace

int count_other_threads() {
    int count = os::foreign_threads();
    for (int look = 1; count > 0 && look < kLooks; ++look) {
        std::this_thread::sleep_for(kPause);
        count = os::foreign_threads();
    }
    return count;
}

}  // namespace hardwork::face
