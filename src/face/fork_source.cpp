#include "face/fork_source.hpp"

#include <atomic>
#include <cstdio>
#include <iostream>
#include <utility>

#include "face/runner.hpp"
#include "os/codes.hpp"
#include "os/process.hpp"
#include "os/signal.hpp"

namespace hardwork::face {

namespace {

// Of C and of C++: what lies in a buffer when a process is forked would be written by both.
void flush_outputs() {
    try {
        std::cout.flush();
        std::clog.flush();
    } catch (...) {
        // A stream that was told to throw and whose file is closed: nobody asked for this flush.
    }
    std::fflush(nullptr);
}

class ForkHooks final : public TemplateHooks {
  public:
    explicit ForkHooks(const std::function<void()>& initializer) : initializer_(initializer) {}

    std::int32_t fork_worker() override {
        const auto pid = os::fork_process();
        return pid ? pid.value() : -1;
    }
    int worker_main(const WorkerSetup& setup) override {
        os::ignore_interrupts();  // Ctrl-C is the parent's business
        CallRunner runner(initializer_);
        const int code = run_worker(setup, runner);
        flush_outputs();  // what tasks have printed
        return code;
    }

  private:
    const std::function<void()>& initializer_;
};

class ForkSource final : public WorkerSource {
  public:
    explicit ForkSource(std::function<void()> initializer) : initializer_(std::move(initializer)) {}

    bool uses_template() const override { return true; }

    int start_template(int channel_fd, std::int32_t& pid) override {
        // Once, in the constructor of the pool. A second one, after the first has died, would be a fork of the
        // engine's thread at any moment of the program: its workers could wait for locks for ever. Better no workers.
        if (started_.exchange(true)) return os::kCanceled;
        flush_outputs();
        const auto forked = os::fork_process();
        if (!forked) return forked.error().sys_errno;
        pid = forked.value();
        if (pid == 0) live_as_template(channel_fd);
        return 0;
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return os::kCanceled; }

  private:
    // Never returns to the code that made the pool, whatever happens.
    [[noreturn]] void live_as_template(int channel_fd) noexcept {
        ForkHooks hooks(initializer_);
        os::exit_now(serve_template(channel_fd, hooks));
    }

    const std::function<void()> initializer_;
    std::atomic<bool> started_{false};
};

}  // namespace

std::shared_ptr<WorkerSource> make_fork_source(std::function<void()> initializer) {
    return std::make_shared<ForkSource>(std::move(initializer));
}

}  // namespace hardwork::face
