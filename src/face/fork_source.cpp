#include "face/fork_source.hpp"

#include <utility>

#include "face/seed.hpp"
#include "hardwork/exceptions.hpp"
#include "os/codes.hpp"

namespace hardwork::face {

namespace {

// A template can be had at any time, and again: it is forked of a seed and never of the program, which has threads by then
// (the engine's at least): workers of such a template could wait for their locks for ever.
class ForkSource final : public WorkerSource {
  public:
    // seed: the pool's own, or nullptr for that of Template::prepare(), which needs to be told of the initializer.
    ForkSource(std::shared_ptr<Seed> seed, Initializer initializer)
        : own_(std::move(seed)), initializer_(std::move(initializer)) {}

    bool uses_template() const override { return true; }
    int start_template(int channel_fd, std::int32_t& pid) override {
        const std::shared_ptr<Seed> seed = own_ != nullptr ? own_ : Seed::prepared();
        return seed != nullptr ? seed->start_template(initializer_, channel_fd, pid) : os::kCanceled;
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return os::kCanceled; }
    void end() override {
        if (own_ != nullptr) own_->end();
    }

  private:
    const std::shared_ptr<Seed> own_;
    const Initializer initializer_;
};

}  // namespace

std::shared_ptr<WorkerSource> make_fork_source(Initializer initializer) {
    const std::shared_ptr<Seed> prepared = Seed::prepared();
    if (prepared == nullptr) return std::make_shared<ForkSource>(Seed::make(initializer), Initializer());
    if (!prepared->lives()) {
        throw BrokenPool(
            "hardwork: the process that Template::prepare() has made was killed; call it again, while this program has "
            "no other threads");
    }
    if (initializer && initializer.travelling() == nullptr) {
        throw InvalidOption(
            "hardwork: Options::initializer cannot travel to the process that Template::prepare() has made: it is "
            "neither a function nor a lambda with trivially copyable captures; see hardwork::bound");
    }
    return std::make_shared<ForkSource>(nullptr, std::move(initializer));
}

}  // namespace hardwork::face
