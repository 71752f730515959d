#include "face/events.hpp"

#include <utility>

#include "hardwork/detail/attempt.hpp"
#include "hardwork/detail/shared.hpp"

namespace hardwork::face {

namespace {

thread_local bool in_callback = false;

class InCallback {
  public:
    InCallback() { in_callback = true; }
    InCallback(const InCallback&) = delete;
    InCallback& operator=(const InCallback&) = delete;
    ~InCallback() { in_callback = false; }
};

class FaceEvents final : public EngineEvents {
  public:
    explicit FaceEvents(Hooks hooks) : hooks_(std::move(hooks)) {}

    void on_done(std::span<void* const> cookies) override {
        const InCallback mark;
        for (void* cookie : cookies)
            detail::WatchedTask::told(cookie);
    }
    bool wants_workers() const override { return hooks_.on_worker_start || hooks_.on_worker_death; }
    void on_worker_start(std::int32_t pid) override {
        const InCallback mark;
        if (hooks_.on_worker_start) detail::attempt([&] { hooks_.on_worker_start(pid); });
    }
    void on_worker_death(const WorkerDeath& death) override {
        const InCallback mark;
        if (hooks_.on_worker_death) detail::attempt([&] { hooks_.on_worker_death(death); });
    }

  private:
    const Hooks hooks_;
};

}  // namespace

std::shared_ptr<EngineEvents> make_events(Hooks hooks) { return std::make_shared<FaceEvents>(std::move(hooks)); }

bool on_an_engine_thread() { return in_callback; }

}  // namespace hardwork::face
