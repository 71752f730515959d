#include "face/fork_source.hpp"

#include <atomic>
#include <utility>

#include "face/seed.hpp"
#include "face/template_life.hpp"
#include "hardwork/exceptions.hpp"
#include "hardwork/template.hpp"
#include "os/codes.hpp"
#include "os/process.hpp"

namespace hardwork::face {

namespace {

class ForkSource final : public WorkerSource {
  public:
    explicit ForkSource(Initializer initializer) : initializer_(std::move(initializer)) {}

    bool uses_template() const override { return true; }

    int start_template(int channel_fd, std::int32_t& pid) override {
        // Once, in the constructor of the pool. A second one, after the first has died, would be a fork of the
        // engine's thread at any moment of the program: its workers could wait for locks for ever. Better no workers.
        if (started_.exchange(true)) return os::kCanceled;
        flush_outputs();
        const auto forked = os::fork_process();
        if (!forked) return forked.error().sys_errno;
        pid = forked.value();
        if (pid != 0) return 0;
        if (initializer_) live_as_template(channel_fd, initializer_);
        live_as_template(channel_fd, nullptr);
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return os::kCanceled; }

  private:
    const Initializer initializer_;
    std::atomic<bool> started_{false};
};

// A template of the prepared process can be had at any time, and again.
class SeedSource final : public WorkerSource {
  public:
    explicit SeedSource(Initializer initializer) : initializer_(std::move(initializer)) {}

    bool uses_template() const override { return true; }
    int start_template(int channel_fd, std::int32_t& pid) override {
        return Seed::start_template(initializer_, channel_fd, pid);
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return os::kCanceled; }

  private:
    const Initializer initializer_;
};

}  // namespace

std::shared_ptr<WorkerSource> make_fork_source(Initializer initializer) {
    if (!Template::prepared()) return std::make_shared<ForkSource>(std::move(initializer));
    if (initializer && initializer.travelling() == nullptr) {
        throw InvalidOption(
            "hardwork: Options::initializer cannot travel to the process that Template::prepare() has made: it is "
            "neither a function nor a lambda with trivially copyable captures; see hardwork::bound");
    }
    return std::make_shared<SeedSource>(std::move(initializer));
}

}  // namespace hardwork::face
