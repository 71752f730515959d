#include "hardwork/detail/pool_core.hpp"

#include <algorithm>
#include <cstring>
#include <mutex>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "face/events.hpp"
#include "face/exec_source.hpp"
#include "face/failures.hpp"
#include "face/fork_source.hpp"
#include "face/function_table.hpp"
#include "face/limits.hpp"
#include "face/threads.hpp"
#include "hardwork/detail/map_state.hpp"
#include "hardwork/template.hpp"

namespace hardwork::detail {

namespace {

constexpr int kMostWorkers = 1024;  // the engine's own limit

bool has(ShutdownMode mode, ShutdownMode bit) {
    return (static_cast<unsigned>(mode) & static_cast<unsigned>(bit)) != 0;
}

int checked_workers(const Options& options) {
    const int workers = options.workers.value_or(std::min(usable_cpus(), kMostWorkers));
    if (workers >= 1 && workers <= kMostWorkers) return workers;
    throw InvalidOption("hardwork: Options::workers is " + std::to_string(workers) + "; it must be 1 to " +
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
    Private(int how_many, bool by_exec)
        : workers(how_many), exec(by_exec), functions(by_exec ? &face::code_in_file : nullptr) {}

    const int workers;
    const bool exec;
    face::FunctionTable functions;
    std::mutex maps_lock;
    std::vector<std::weak_ptr<MapState>> maps;  // those that may still be reading their range
};

PoolCore::PoolCore(std::shared_ptr<Engine> engine, int workers, Start start, const TaskLimits& limits)
    : engine_(std::move(engine)),
      private_(std::make_unique<Private>(workers, start == Start::exec)),
      limits_(KeptLimits::make(engine_, limits)) {}

std::shared_ptr<PoolCore> PoolCore::make(Options options) {
    EngineOptions engine_options;
    engine_options.workers = checked_workers(options);
    engine_options.max_tasks_per_worker = options.max_tasks_per_worker;
    engine_options.max_memory_per_worker = options.max_memory_per_worker;
    const TaskLimits limits = face::checked_limits({}, {options.timeout, options.retries, options.grace});
    const bool exec = options.start == Start::exec;
    if (!exec && !options.allow_threads && !Template::prepared()) {
        if (const int others = face::count_other_threads(); others > 0) throw MultithreadedProgram(others + 1);
    }
    std::shared_ptr<Engine> engine;
    const Error error = Engine::create(
        engine_options,
        exec ? face::make_exec_source(options.initializer) : face::make_fork_source(std::move(options.initializer)),
        face::make_events({std::move(options.on_worker_start), std::move(options.on_worker_death)}), engine);
    if (error.code != Errc::ok) face::throw_error(error, nullptr);
    return std::shared_ptr<PoolCore>(new PoolCore(std::move(engine), engine_options.workers, options.start, limits));
}

PoolCore::~PoolCore() { shutdown(ShutdownMode::wait); }

std::uint32_t PoolCore::number_of(const Code& code) {
    if (!engine_->in_owner_process()) throw WrongProcess();
    return private_->functions.number_of(code, *engine_);
}

std::uint32_t PoolCore::define(const Code& code, std::span<const std::byte> state) {
    if (!engine_->in_owner_process()) throw WrongProcess();
    if (private_->exec) throw UnregisteredTask("it has a state");
    std::vector<std::byte> bytes(sizeof code + state.size());
    std::memcpy(bytes.data(), &code, sizeof code);
    if (!state.empty()) std::memcpy(bytes.data() + sizeof code, state.data(), state.size());
    const std::uint32_t number = engine_->define(bytes);
    if (number != 0) return number;
    // The engine takes nothing either when the pool has stopped.
    if (const Errc closed = engine_->closed(); closed != Errc::ok)
        face::throw_error(Error{closed, 0, ""}, engine_.get());
    throw std::bad_alloc();
}

TaskHandle PoolCore::submit(std::uint32_t function, InputBuffer& input, std::uint32_t limits) {
    Error why;
    Task* task = engine_->submit(function, input.give(), limits, why);
    if (task == nullptr) {
        input.keep();
        face::throw_error(why, engine_.get());
    }
    return {engine_, task};
}

std::shared_ptr<MapState> PoolCore::start_map(const Code& code, std::span<const std::byte> state, MapOrder order,
                                              std::uint32_t limits) {
    Error why;
    JobOptions options;
    options.ordered = order == MapOrder::of_items;
    options.limits = limits;
    // A function with a state is another one each time. The engine keeps what is forgotten until its map is over.
    const std::uint32_t function = code.revive == nullptr ? number_of(code) : define(code, state);
    Job* job = engine_->start_job(function, options, why);
    if (code.revive != nullptr) engine_->forget(function);
    if (job == nullptr) face::throw_error(why, engine_.get());
    auto map = std::make_shared<MapState>(engine_, job, private_->workers);
    const std::lock_guard hold(private_->maps_lock);
    std::erase_if(private_->maps, [](const std::weak_ptr<MapState>& old) { return old.expired(); });
    private_->maps.push_back(map);
    return map;
}

void PoolCore::shutdown(ShutdownMode mode) {
    if (!engine_->in_owner_process()) return;  // a copy in a fork: the pool is another process's
    engine_->begin_shutdown(has(mode, ShutdownMode::cancel) ? Shutdown::cancel : Shutdown::finish);
    stop_feeding();
    if (has(mode, ShutdownMode::wait)) wait_stopped();
}

void PoolCore::kill() {
    if (!engine_->in_owner_process()) throw WrongProcess();
    engine_->begin_shutdown(Shutdown::terminate);
    stop_feeding();
    engine_->end_workers(0);
    wait_stopped();
}

void PoolCore::wait_stopped() {
    if (face::on_an_engine_thread()) return;  // it would wait for itself
    while (engine_->wait_stopped(kNever) == WaitEnd::interrupted) {
    }
}

void PoolCore::stop_feeding() {
    // A map that reads its range as its results are taken would never be complete: who waits here may be its reader.
    std::vector<std::weak_ptr<MapState>> maps;
    {
        const std::lock_guard hold(private_->maps_lock);
        maps.swap(private_->maps);
    }
    for (const auto& map : maps) {
        if (const auto state = map.lock()) state->stop_feeding();
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

PoolStats PoolCore::stats() const {
    if (!engine_->in_owner_process()) throw WrongProcess();
    return engine_->stats();
}

}  // namespace hardwork::detail
