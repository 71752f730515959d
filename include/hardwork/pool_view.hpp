/// @file
/// A pool seen with other limits.
#pragma once

#include <memory>
#include <utility>

#include "hardwork/pool_calls.hpp"

namespace hardwork {

/// What ProcessPool::with gives: the pool's workers, for tasks with limits of their own. Cheap to copy. It does not keep
/// the pool from ending: after that it throws ShutDown.
class PoolView : public PoolCalls {
  public:
    /// Another one on the same pool, with the same limits.
    PoolView(const PoolView&) = default;
    /// Takes over those of another, which throws InvalidPool then.
    PoolView(PoolView&&) noexcept = default;
    /// Sees the other one's pool now.
    PoolView& operator=(const PoolView&) = default;
    /// Sees the other one's pool now.
    PoolView& operator=(PoolView&&) noexcept = default;
    ~PoolView() = default;

  private:
    friend class PoolCalls;
    PoolView(std::shared_ptr<detail::PoolCore> core, std::shared_ptr<const detail::KeptLimits> limits)
        : PoolCalls(std::move(core), std::move(limits)) {}
};

inline PoolView PoolCalls::with(const TaskOptions& options) const {
    auto limits = core().limits(limits_, options);
    return {core_, std::move(limits)};
}

}  // namespace hardwork
