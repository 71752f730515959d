#include "worker/parent_watch.hpp"

#include <memory>

#include "hardwork/worker.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/thread.hpp"
#include "os/watch.hpp"

namespace hardwork {

namespace {

struct Watch {
    int parent_fd = -1;
    std::int32_t pid = 0;  // the process it belongs to: a forked child must not touch a thread it does not have
    os::Notifier stop;
    os::Thread thread;
    bool running = false;

    bool run() {
        stop.clear();
        running = thread.start("hardwork-watch", [fd = parent_fd, stop_fd = stop.fd()] {
            if (os::wait_readable_or(fd, stop_fd)) os::kill_self();
        });
        return running;
    }
    void pause() {
        if (!running) return;
        stop.notify();
        thread.join();
        running = false;
    }
};

// One worker life per process; leaked on purpose, as tasks may still run while static destructors do.
Watch* the_watch = nullptr;

}  // namespace

bool start_parent_watch(int parent_fd) {
    auto stop = os::Notifier::create();
    if (!stop) return false;
    auto* watch = new Watch;
    watch->parent_fd = parent_fd;
    watch->pid = os::self_pid();
    watch->stop = stop.take();
    the_watch = watch;
    return watch->run();
}

void stop_parent_watch() {
    Watch* watch = the_watch;
    if (watch == nullptr || watch->pid != os::self_pid()) return;
    watch->pause();
    the_watch = nullptr;
    delete watch;
}

void pause_parent_watch() {
    if (the_watch != nullptr && the_watch->pid == os::self_pid()) the_watch->pause();
}

void resume_parent_watch() {
    if (the_watch != nullptr && the_watch->pid == os::self_pid() && !the_watch->running) the_watch->run();
}

}  // namespace hardwork
