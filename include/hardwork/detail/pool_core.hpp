// The pool behind a ProcessPool: what needs no templates. Owned by the ProcessPool, or by the one map it was made for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "hardwork/detail/task_handle.hpp"
#include "hardwork/detail/trampoline.hpp"
#include "hardwork/engine.hpp"
#include "hardwork/export.hpp"
#include "hardwork/options.hpp"

namespace hardwork::detail {

class MapState;
struct PoolAccess;

enum class MapOrder { of_items, as_they_come };

// Memory for a call's bytes, given back unless submitted.
class HARDWORK_API InputBuffer {
  public:
    // Throws std::bad_alloc.
    InputBuffer(Engine& engine, std::uint64_t length);
    InputBuffer(const InputBuffer&) = delete;
    InputBuffer& operator=(const InputBuffer&) = delete;
    ~InputBuffer() {
        if (!given_) engine_.discard(input_);
    }
    std::span<std::byte> memory() const { return {input_.data, input_.length}; }
    Input& give() {
        given_ = true;
        return input_;
    }
    void keep() { given_ = false; }  // it was not taken after all

  private:
    Engine& engine_;
    Input input_;
    bool given_ = false;
};

// Limits of tasks, with the engine's number for them.
class HARDWORK_API KeptLimits {
  public:
    // Throws InvalidOption, std::bad_alloc. nullptr: no limits.
    static std::shared_ptr<const KeptLimits> make(const std::shared_ptr<Engine>& engine, const TaskLimits& limits);
    KeptLimits(std::shared_ptr<Engine> engine, const TaskLimits& limits, std::uint32_t number)
        : engine_(std::move(engine)), limits_(limits), number_(number) {}
    KeptLimits(const KeptLimits&) = delete;
    KeptLimits& operator=(const KeptLimits&) = delete;
    ~KeptLimits() { engine_->release_limits(number_); }

    const TaskLimits& limits() const { return limits_; }
    std::uint32_t number() const { return number_; }

  private:
    std::shared_ptr<Engine> engine_;
    TaskLimits limits_;
    std::uint32_t number_;
};

class HARDWORK_API PoolCore {
  public:
    // Throws what ProcessPool's constructor says.
    static std::shared_ptr<PoolCore> make(Options options);
    PoolCore(const PoolCore&) = delete;
    PoolCore& operator=(const PoolCore&) = delete;
    ~PoolCore();  // shuts down and waits

    const std::shared_ptr<Engine>& engine() const { return engine_; }
    // The engine's number of a function; the same for the same code.
    std::uint32_t number_of(const Code& code);
    TaskHandle submit(std::uint32_t function, InputBuffer& input, std::uint32_t limits);
    // state: what the function brings along to each worker, or nothing.
    std::shared_ptr<MapState> start_map(const Code& code, std::span<const std::byte> state, MapOrder order,
                                        std::uint32_t limits);
    // Of the pool's own tasks, and of a view's, which has them but for what is given. nullptr: none. Throw InvalidOption.
    const std::shared_ptr<const KeptLimits>& limits() const { return limits_; }
    std::shared_ptr<const KeptLimits> limits(const std::shared_ptr<const KeptLimits>& base,
                                             const TaskOptions& options) const;
    void shutdown(ShutdownMode mode);
    void kill();
    std::vector<std::int32_t> pids() const;
    int workers() const noexcept;
    PoolStats stats() const;

  private:
    struct Private;
    void stop_feeding();
    void wait_stopped();
    std::uint32_t define(const Code& code, std::span<const std::byte> state);
    PoolCore(std::shared_ptr<Engine> engine, int workers, Start start, const TaskLimits& limits);

    std::shared_ptr<Engine> engine_;
    std::unique_ptr<Private> private_;
    std::shared_ptr<const KeptLimits> limits_;
};

}  // namespace hardwork::detail
