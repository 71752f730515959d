// When result() returns, the callbacks have been called: as good as always, as in the standard library.
//
// There the thread that sets a result calls the callbacks in the same breath, so that whoever waited for the result sees
// what they did (tqdm closes its bar then, and counts in them). Here the caller takes the result itself, and the engine's
// collector, which calls them, comes after it. So the caller waits for that; but not for long, since nobody has promised
// that a callback does not wait for something that the caller holds.
#include <chrono>
#include <condition_variable>
#include <mutex>

#include "future_object.hpp"

namespace hardwork::py {

namespace {

constexpr std::chrono::milliseconds kLongest{50};

std::mutex lock;
std::condition_variable returned;
std::uint64_t count = 0;
int waiting = 0;

}  // namespace

void callbacks_returned() {
    const std::lock_guard hold(lock);
    ++count;
    if (waiting != 0) returned.notify_all();
}

void await_callbacks(PyObject* self) {
    const FutureFields& own = fields(self);
    // Without subscribers there is nothing to wait for. The collector itself resolves before it calls, and so never
    // comes here for the future at hand; what its callbacks ask of others they must not wait for.
    if (own.extra == nullptr || own.extra->announced || runs_callbacks()) return;
    if (own.extra->callbacks == nullptr || PyList_GET_SIZE(own.extra->callbacks) == 0) return;
    const auto end = std::chrono::steady_clock::now() + kLongest;
    bool in_time = true;
    while (!own.extra->announced && in_time) {
        std::unique_lock hold(lock);
        const std::uint64_t before = count;
        ++waiting;
        hold.unlock();
        // clang-format off
        Py_BEGIN_ALLOW_THREADS
        hold.lock();
        in_time = returned.wait_until(hold, end, [&] { return count != before; });
        --waiting;
        hold.unlock();
        Py_END_ALLOW_THREADS
        // clang-format on
    }
}

}  // namespace hardwork::py
