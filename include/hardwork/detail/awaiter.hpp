// co_await of a Future.
#pragma once

#include <atomic>
#include <coroutine>
#include <memory>
#include <utility>

namespace hardwork::detail {

template <class T, class FutureOfT>
class Awaiter {
  public:
    explicit Awaiter(FutureOfT future) : future_(std::move(future)) {}
    Awaiter(Awaiter&&) noexcept = default;
    Awaiter& operator=(Awaiter&&) = delete;
    // A coroutine that is destroyed while it waits is not resumed.
    ~Awaiter() {
        if (waiting_ != nullptr) waiting_->exchange(nullptr);
    }

    bool await_ready() { return future_.ready(); }
    void await_suspend(std::coroutine_handle<> coroutine) {
        // A copy: once told, another thread may resume the coroutine, and this be gone, before on_done has returned.
        const auto waiting = std::make_shared<std::atomic<void*>>(coroutine.address());
        waiting_ = waiting;
        future_.on_done([waiting] {
            void* address = waiting->exchange(nullptr);
            if (address != nullptr) std::coroutine_handle<>::from_address(address).resume();
        });
    }
    T await_resume() { return future_.get(); }

  private:
    FutureOfT future_;
    std::shared_ptr<std::atomic<void*>> waiting_;
};

}  // namespace hardwork::detail
