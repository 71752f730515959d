#include "hardwork/future.hpp"

#include <stdexcept>

#include "hardwork/map.hpp"

namespace hardwork::detail {

void throw_unless_value(Engine& engine, const TaskResult& result) {
    switch (result.ending) {
        case Ending::value: return;
        case Ending::exception: {
            Reader in(result.bytes);
            std::string type = Codec<std::string>::read(in);
            throw RemoteError(std::move(type), Codec<std::string>::read(in));
        }
        case Ending::worker_died: throw WorkerDied(result.death);
        case Ending::cancelled: throw Cancelled();
        case Ending::no_memory: throw std::bad_alloc();
        case Ending::skipped:
        case Ending::broken: break;
    }
    const auto cause = engine.broken_cause();
    if (cause.empty()) throw BrokenPool("hardwork: the workers of the pool cannot be started");
    Reader in(cause);
    const std::string type = Codec<std::string>::read(in);
    throw BrokenPool("hardwork: the pool's initializer threw " + type + ": " + Codec<std::string>::read(in));
}

void TaskHandle::check() const {
    if (task_ == nullptr) throw std::logic_error("hardwork: this future was moved from, or its result was taken");
}

bool TaskHandle::done() const {
    if (engine_->is_done(task_)) return true;
    engine_->poll();
    return engine_->is_done(task_);
}

bool TaskHandle::wait_until(std::uint64_t deadline_ns) const {
    if (engine_->is_done(task_) || engine_->spin(task_)) return true;
    for (;;) {
        const WaitEnd end = engine_->wait(task_, deadline_ns);
        if (end != WaitEnd::interrupted) return end == WaitEnd::done;
    }
}

bool TaskHandle::cancel() { return engine_->cancel(task_); }

TaskResult TaskHandle::result() {
    const TaskResult result = engine_->result(task_);
    throw_unless_value(*engine_, result);
    return result;
}

void TaskHandle::release() {
    if (task_ != nullptr && engine_->in_owner_process()) engine_->release(task_);
    task_ = nullptr;
}

JobHandle::~JobHandle() {
    if (job_ == nullptr) return;
    engine_->cancel_rest(job_);
    engine_->release_job(job_);
}

bool JobHandle::next(TaskResult& result) {
    while (!block_.next(result)) {
        switch (engine_->next_block(job_, block_)) {
            case JobState::block: break;
            case JobState::end: return false;
            case JobState::cancelled: throw Cancelled();
            case JobState::broken:
                result.ending = Ending::broken;
                throw_unless_value(*engine_, result);
                break;
            case JobState::pending:
                if (!engine_->spin(job_)) engine_->wait(job_, ~std::uint64_t{0});
                break;
        }
    }
    throw_unless_value(*engine_, result);
    return true;
}

}  // namespace hardwork::detail
