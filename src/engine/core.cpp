#include "engine/core.hpp"

#include <bit>
#include <cstring>

#include "hardwork/fault.hpp"
#include "os/clock.hpp"
#include "os/cpu.hpp"
#include "os/duplicate.hpp"
#include "os/futex.hpp"
#include "os/generation.hpp"
#include "os/process.hpp"

namespace hardwork {

std::uint64_t monotonic_ns() { return os::now_ns(); }
int usable_cpus() { return os::usable_cpus(); }

Error Engine::create(const EngineOptions& options, std::shared_ptr<WorkerSource> source,
                     std::shared_ptr<EngineEvents> events, std::shared_ptr<Engine>& engine) {
    if (options.workers < 1 || options.workers > static_cast<int>(kMaxWorkers)) {
        return Error{Errc::invalid_argument, 0, "the number of workers must be between 1 and 1024"};
    }
    auto core = std::make_shared<EngineCore>(options, std::move(source), std::move(events));
    const Status status = core->start();
    if (!status) return status.error();
    engine = std::move(core);
    return Error{};
}

EngineCore::EngineCore(const EngineOptions& options, std::shared_ptr<WorkerSource> source,
                       std::shared_ptr<EngineEvents> events)
    : options_(options),
      owner_pid_(os::self_pid()),
      owner_generation_(os::process_generation()),
      source_(std::move(source)),
      events_(std::move(events)),
      wants_workers_(events_->wants_workers()),
      budget_(static_cast<std::uint32_t>(options.workers)) {
    lanes_.resize(static_cast<std::size_t>(options.workers));
    functions_.emplace_back();
    functions_.front().used = true;
    // On a single CPU whoever spins keeps the other from running.
    spin_ns_ = os::usable_cpus() > 1 ? 20'000 : 0;
}

bool EngineCore::in_owner_process() const { return owner_generation_ == os::process_generation(); }

Status EngineCore::start() {
    auto memory = os::create_memory("hardwork-input", shm::kInputArenaSize);
    if (!memory) return memory.error();
    input_memory_ = memory.take();
    auto read_only = os::reopen_read_only(input_memory_);
    if (!read_only) return read_only.error();
    input_read_only_ = read_only.take();
    auto self = os::open_pidfd(owner_pid_);
    if (!self) return self.error();
    self_ = self.take();
    input_arena_ = shm::Arena(input_memory_.get(), 0, shm::kInputArenaSize);
    input_windows_ = shm::Windows(input_memory_.get(), 0, shm::kInputArenaSize, os::Access::read_write);
    supervisor_ = make_supervisor(*source_, *this, input_read_only_.get(), self_.get());
    const Status status = supervisor_->start();
    if (!status) return status;
    {
        const std::lock_guard hold(mutex_);
        if (!options_.on_demand) keep_workers();
    }
    // The collector keeps the engine alive until it has stopped, so that a pool that was let go still finishes.
    auto self_reference = shared_from_this();
    if (!collector_.start("hardwork-drain", [this, self_reference]() mutable {
            collect();
            self_reference.reset();
        })) {
        supervisor_->stop();
        return Error{Errc::system, 0, "start the collector thread"};
    }
    return {};
}

EngineCore::~EngineCore() {
    if (!in_owner_process()) {
        // A fork of the owner: the threads do not exist here, the workers are not ours.
        if (supervisor_ != nullptr) {
            supervisor_->abandon();
            (void)supervisor_.release();
        }
        if (collector_.joinable()) collector_.detach();
        return;
    }
    // The collector holds a reference until it has stopped; so either it never started or it ends here itself.
    if (collector_.joinable()) {
        if (collector_.is_current()) {
            collector_.detach();
        } else {
            collector_.join();
        }
    }
}

LaneState* EngineCore::lane_of(std::uint32_t id) {
    const std::uint32_t slot = id & (kMaxWorkers - 1);
    if (slot < lanes_.size() && lanes_[slot] != nullptr && lanes_[slot]->id == id) return lanes_[slot].get();
    return nullptr;
}

bool EngineCore::idle_lane_exists() const {
    for (const auto& lane : lanes_) {
        if (lane != nullptr && lane->idle()) return true;
    }
    return false;
}

std::uint32_t EngineCore::define(std::span<const std::byte> code) {
    Input input;
    if (!allocate(code.size(), input)) return 0;
    if (!code.empty()) std::memcpy(input.data, code.data(), code.size());
    const std::lock_guard hold(mutex_);
    std::uint32_t number = 0;
    // A number is used again only long after: a worker that still knows the old function is told the new one.
    functions_.emplace_back();
    number = static_cast<std::uint32_t>(functions_.size() - 1);
    FunctionInfo& info = functions_.back();
    info.code = input;
    if (!input.in_arena) info.code.data = info.code.small;
    info.used = true;
    return number;
}

void EngineCore::forget(std::uint32_t function) {
    const std::lock_guard hold(mutex_);
    if (function == 0 || function >= functions_.size()) return;
    functions_[function].forgotten = true;
    forget_if_unused(function);
}

void EngineCore::forget_if_unused(std::uint32_t function) {
    FunctionInfo& info = functions_[function];
    if (!info.forgotten || !info.used || info.pending != 0) return;
    if (info.code.in_arena) input_arena_.release({info.code.offset, info.code.length});
    info.used = false;
}

bool EngineCore::allocate(std::uint64_t length, Input& input) {
    input.length = length;
    input.in_arena = length > sizeof input.small;
    if (!input.in_arena) {
        input.data = input.small;
        return true;
    }
    const std::lock_guard hold(mutex_);
    if (stopped_) return false;
    shm::Extent extent;
    if (!input_arena_.allocate(length, extent)) return false;
    input.data = input_windows_.at(extent);
    if (input.data == nullptr) {
        input_arena_.release(extent);
        return false;
    }
    input.offset = extent.offset;
    return true;
}

void EngineCore::discard(Input& input) {
    if (!input.in_arena || input.data == nullptr) return;
    const std::lock_guard hold(mutex_);
    input_arena_.release({input.offset, input.length});
    input.data = nullptr;
}

std::vector<WorkerView> EngineCore::workers() {
    std::vector<WorkerView> views;
    const std::lock_guard hold(mutex_);
    for (const auto& lane : lanes_) {
        if (lane == nullptr) continue;
        views.push_back({lane->id, lane->pid, lane->phase()});
    }
    return views;
}

void EngineCore::signal_workers(int signal) {
    const std::lock_guard hold(mutex_);
    if (supervisor_ == nullptr) return;
    for (const auto& lane : lanes_) {
        if (lane != nullptr) supervisor_->signal_worker(lane->id, signal);
    }
}

}  // namespace hardwork
