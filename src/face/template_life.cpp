#include "face/template_life.hpp"

#include <cstdio>
#include <iostream>

#include "os/process.hpp"
#include "os/signal.hpp"

namespace hardwork::face {

namespace {

class ForkHooks final : public TemplateHooks {
  public:
    explicit ForkHooks(const std::function<void()>& initializer) : initializer_(initializer) {}

    std::int32_t fork_worker() override {
        const auto pid = os::fork_process();
        return pid ? pid.value() : -1;
    }
    int worker_main(const WorkerSetup& setup) override {
        return live_as_worker(setup, initializer_, CodeIs::in_memory);
    }

  private:
    const std::function<void()>& initializer_;
};

}  // namespace

void flush_outputs() {
    try {
        std::cout.flush();
        std::clog.flush();
    } catch (...) {
        // A stream that was told to throw and whose file is closed: nobody asked for this flush.
    }
    std::fflush(nullptr);
}

int live_as_worker(const WorkerSetup& setup, const std::function<void()>& initializer, CodeIs code) {
    os::ignore_interrupts();  // Ctrl-C is the parent's business
    CallRunner runner(initializer, code);
    const int exit_code = run_worker(setup, runner);
    flush_outputs();  // what tasks have printed
    return exit_code;
}

void live_as_template(int channel_fd, const std::function<void()>& initializer) noexcept {
    ForkHooks hooks(initializer);
    os::exit_now(serve_template(channel_fd, hooks));
}

}  // namespace hardwork::face
