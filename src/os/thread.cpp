#include "os/thread.hpp"

#include <pthread.h>
#include <signal.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "os/signal.hpp"

namespace hardwork::os {

static_assert(sizeof(pthread_t) <= sizeof(std::uint64_t));

namespace {

struct Start {
    std::function<void()> body;
};

void* run(void* argument) {
    const std::unique_ptr<Start> start(static_cast<Start*>(argument));
    start->body();
    return nullptr;
}

pthread_t handle_of(std::uint64_t handle) {
    pthread_t thread{};
    __builtin_memcpy(&thread, &handle, sizeof thread);
    return thread;
}

}  // namespace

bool Thread::start(const char* name, std::function<void()> body) {
    const std::string short_name = std::string(name).substr(0, 15);
    auto start = std::make_unique<Start>(Start{std::move(body)});
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) return false;
    // Python callbacks run on some of these threads; musl's default of 128 KiB is too small for them.
    pthread_attr_setstacksize(&attributes, std::size_t{8} << 20);
    // Blocked before it exists: a signal must not find it in between.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_t thread{};
    const bool started = pthread_create(&thread, &attributes, run, start.get()) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
    if (!started) return false;
    // From here, so that the thread has its name when start returns: others tell our threads by it.
    (void)start.release();
    pthread_setname_np(thread, short_name.c_str());
    __builtin_memcpy(&handle_, &thread, sizeof thread);
    joinable_ = true;
    return true;
}

Thread::~Thread() {
    if (joinable_) std::abort();
}

void Thread::join() {
    if (!joinable_) return;
    pthread_join(handle_of(handle_), nullptr);
    joinable_ = false;
}

void Thread::cancel() {
    if (!joinable_) return;
    pthread_cancel(handle_of(handle_));
    join();
}

void Thread::detach() {
    if (!joinable_) return;
    pthread_detach(handle_of(handle_));
    joinable_ = false;
}

bool Thread::is_current() const { return joinable_ && pthread_equal(pthread_self(), handle_of(handle_)) != 0; }

}  // namespace hardwork::os
