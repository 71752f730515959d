#include "hardwork/detail/task_handle.hpp"

#include <exception>

#include "face/failures.hpp"
#include "hardwork/detail/attempt.hpp"

namespace hardwork::detail {

void TaskHandle::check() const {
    if (task_ == nullptr) throw InvalidFuture();
}

bool TaskHandle::ready() {
    check();
    if (engine_->is_done(task_) || !engine_->in_owner_process()) return engine_->is_done(task_);
    engine_->poll();
    return engine_->is_done(task_);
}

bool TaskHandle::cancel() {
    check();
    return engine_->cancel(task_);
}

bool TaskHandle::stop() {
    check();
    return engine_->stop(task_);
}

FutureState TaskHandle::state() {
    if (!ready()) {
        // Of another process's task nothing more can be known, and its locks are not to be touched.
        return engine_->in_owner_process() && engine_->is_running(task_) ? FutureState::running : FutureState::waiting;
    }
    switch (engine_->result(task_).ending) {
        case Ending::value: return FutureState::value;
        case Ending::cancelled: return FutureState::cancelled;
        default: return FutureState::failed;
    }
}

bool TaskHandle::subscribe(void* cookie) {
    check();
    if (engine_->is_done(task_)) return false;
    if (!engine_->in_owner_process()) throw WrongProcess();
    return engine_->subscribe(task_, cookie);
}

bool TaskHandle::wait_until(std::uint64_t deadline_ns) {
    check();
    if (engine_->is_done(task_)) return true;
    if (!engine_->in_owner_process()) throw WrongProcess();
    if (engine_->spin(task_)) return true;
    for (;;) {
        switch (engine_->wait(task_, deadline_ns)) {
            case WaitEnd::done: return true;
            case WaitEnd::timeout: return false;
            case WaitEnd::interrupted: break;  // a handler of the program's has run: that is all it wanted
        }
    }
}

std::span<const std::byte> TaskHandle::value() {
    check();
    const TaskResult result = engine_->result(task_);
    if (result.in_lane && !engine_->in_owner_process()) throw WrongProcess();
    if (result.ending == Ending::value) return result.bytes;
    // Where the program is built without exceptions nobody destroys this as one passes, and the engine would stay.
    const std::exception_ptr failure = attempt([&] { face::throw_ending(result, *engine_); });
    reset();
    rethrow(failure);
}

void TaskHandle::reset() noexcept {
    if (task_ == nullptr) return;
    Task* task = std::exchange(task_, nullptr);
    // In a fork of the pool's process the engine's locks may be held by threads that are not there.
    if (engine_->in_owner_process()) engine_->release(task);
    engine_.reset();
}

}  // namespace hardwork::detail
