#include "hardwork/detail/pool_core.hpp"

#include <algorithm>
#include <mutex>
#include <new>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "face/failures.hpp"
#include "face/fork_source.hpp"
#include "face/function_table.hpp"
#include "face/threads.hpp"
#include "hardwork/detail/map_state.hpp"

namespace hardwork::detail {

namespace {

constexpr int kMostWorkers = 1024;  // the engine's own limit

// Futures here are waited for by who wants them: nobody subscribes.
class NoEvents final : public EngineEvents {
  public:
    void on_done(std::span<void* const>) override {}
};

int checked_workers(const Options& options) {
    const int workers = options.workers.value_or(std::min(usable_cpus(), kMostWorkers));
    if (workers >= 1 && workers <= kMostWorkers) return workers;
    throw std::invalid_argument("hardwork: Options::workers is " + std::to_string(workers) + "; it must be 1 to " +
                                std::to_string(kMostWorkers) + ", or left alone for all usable CPUs");
}

}  // namespace

InputBuffer::InputBuffer(Engine& engine, std::uint64_t length) : engine_(engine) {
    // The engine says false for want of memory, and also once the pool has stopped or in another process.
    if (const Errc closed = engine.closed(); closed != Errc::ok) face::throw_error(Error{closed, 0, ""}, &engine);
    if (engine.allocate(length, input_)) return;
    if (const Errc closed = engine.closed(); closed != Errc::ok) face::throw_error(Error{closed, 0, ""}, &engine);
    throw std::bad_alloc();
}

struct PoolCore::Private {
    int workers = 0;
    face::FunctionTable functions;
    std::mutex maps_lock;
    std::vector<std::weak_ptr<MapState>> maps;  // those that may still be reading their range
};

PoolCore::PoolCore(std::shared_ptr<Engine> engine, int workers)
    : engine_(std::move(engine)), private_(std::make_unique<Private>()) {
    private_->workers = workers;
}

std::shared_ptr<PoolCore> PoolCore::make(Options options) {
    EngineOptions engine_options;
    engine_options.workers = checked_workers(options);
    engine_options.max_tasks_per_worker = options.max_tasks_per_worker;
    if (!options.allow_threads) {
        if (const int others = face::count_other_threads(); others > 0) throw MultithreadedProgram(others + 1);
    }
    std::shared_ptr<Engine> engine;
    const Error error = Engine::create(engine_options, face::make_fork_source(std::move(options.initializer)),
                                       std::make_shared<NoEvents>(), engine);
    if (error.code != Errc::ok) face::throw_error(error, nullptr);
    return std::shared_ptr<PoolCore>(new PoolCore(std::move(engine), engine_options.workers));
}

PoolCore::~PoolCore() { shutdown(true, false); }

std::uint32_t PoolCore::number_of(const Code& code) {
    if (!engine_->in_owner_process()) throw WrongProcess();
    return private_->functions.number_of(code, *engine_);
}

TaskHandle PoolCore::submit(std::uint32_t function, InputBuffer& input) {
    Error why;
    Task* task = engine_->submit(function, input.give(), why);
    if (task == nullptr) {
        input.keep();
        face::throw_error(why, engine_.get());
    }
    return {engine_, task};
}

std::shared_ptr<MapState> PoolCore::start_map(std::uint32_t function) {
    Error why;
    Job* job = engine_->start_job(function, {}, why);
    if (job == nullptr) face::throw_error(why, engine_.get());
    auto state = std::make_shared<MapState>(engine_, job, private_->workers);
    const std::lock_guard hold(private_->maps_lock);
    std::erase_if(private_->maps, [](const std::weak_ptr<MapState>& map) { return map.expired(); });
    private_->maps.push_back(state);
    return state;
}

void PoolCore::shutdown(bool wait, bool cancel) {
    if (!engine_->in_owner_process()) return;  // a copy in a fork: the pool is another process's
    engine_->begin_shutdown(cancel ? Shutdown::cancel : Shutdown::finish);
    // A map that reads its range as its results are taken would never be complete: who waits here may be its reader.
    std::vector<std::weak_ptr<MapState>> maps;
    {
        const std::lock_guard hold(private_->maps_lock);
        maps.swap(private_->maps);
    }
    for (const auto& map : maps) {
        if (const auto state = map.lock()) state->stop_feeding();
    }
    while (wait && engine_->wait_stopped(kNever) == WaitEnd::interrupted) {
    }
}

std::vector<std::int32_t> PoolCore::pids() const {
    std::vector<std::int32_t> pids;
    if (!engine_->in_owner_process()) return pids;
    for (const WorkerView& worker : engine_->workers()) {
        if (worker.pid != 0) pids.push_back(worker.pid);
    }
    return pids;
}

int PoolCore::workers() const noexcept { return private_->workers; }

}  // namespace hardwork::detail
