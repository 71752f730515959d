#include "worker/parent_watch.hpp"

#include "hardwork/worker.hpp"
#include "os/futex.hpp"
#include "os/identity.hpp"
#include "os/poll.hpp"
#include "os/process.hpp"
#include "os/thread.hpp"

namespace hardwork {

namespace {

// A task may close every descriptor, or put its own files in their place: nothing here is lost or written by that.
struct Watch {
    os::KnownFile parent;
    os::KnownFile program;
    std::int32_t parent_pid = 0;
    std::int32_t pid = 0;  // the process it belongs to: a forked child must not touch a thread it does not have
    os::Thread thread;
    bool running = false;

    bool run() {
        running = thread.start("hardwork-watch", [this] { sleep(); });
        return running;
    }
    void pause() {
        if (!running) return;
        thread.cancel();
        running = false;
    }

  private:
    void sleep() const {
        os::Fd own;
        os::KnownFile watched = parent;
        for (;;) {
            // Sleeping holds the open file, so what happens to the number meanwhile does not matter.
            const bool same = watched.unchanged();
            // A pipe that a task has closed is gone for good; the parent's end is still seen.
            const bool two = program.fd() >= 0 && program.unchanged();
            const auto woken =
                same ? os::wait_readable_or_hung_up(watched.fd(), two ? program.fd() : -1) : os::Woken::neither;
            if (woken == os::Woken::readable && watched.unchanged()) os::kill_self();
            if (woken == os::Woken::hung_up) {
                if (program.unchanged()) os::kill_self();
                continue;
            }
            auto again = parent_pid != 0 ? os::open_pidfd(parent_pid) : base::Result<os::Fd>(Error{});
            if (!again) os::kill_self();
            own = again.take();
            watched = os::KnownFile(own.get());
        }
    }
};

// One worker life per process; leaked on purpose, as tasks may still run while static destructors do.
Watch* the_watch = nullptr;

}  // namespace

bool start_parent_watch(int parent_fd, int program_fd) {
    auto* watch = new Watch;
    watch->parent = os::KnownFile(parent_fd);
    watch->program = os::KnownFile(program_fd);
    watch->parent_pid = os::pid_behind(parent_fd);
    watch->pid = os::self_pid();
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
