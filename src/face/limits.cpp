#include "face/limits.hpp"

#include <chrono>
#include <string>

#include "hardwork/detail/pool_core.hpp"
#include "hardwork/exceptions.hpp"

namespace hardwork {

namespace {

using std::chrono::nanoseconds;

std::string seconds(nanoseconds time) { return std::to_string(std::chrono::duration<double>(time).count()) + " s"; }

}  // namespace

TaskLimits face::checked_limits(TaskLimits base, const TaskOptions& options) {
    if (options.timeout) {
        if (*options.timeout <= nanoseconds::zero()) {
            throw InvalidOption("hardwork: a timeout must be more than 0, not " + seconds(*options.timeout));
        }
        const bool none = *options.timeout == nanoseconds::max();
        base.timeout_ns = none ? 0 : static_cast<std::uint64_t>(options.timeout->count());
    }
    if (options.grace) {
        if (*options.grace < nanoseconds::zero()) {
            throw InvalidOption("hardwork: a grace must be 0 or more, not " + seconds(*options.grace));
        }
        base.grace_ns = static_cast<std::uint64_t>(options.grace->count());
    }
    if (options.retries) base.retries = *options.retries;
    return base;
}

namespace detail {

std::shared_ptr<const KeptLimits> KeptLimits::make(const std::shared_ptr<Engine>& engine, const TaskLimits& limits) {
    if (limits == TaskLimits{}) return nullptr;
    const std::uint32_t number = engine->limits(limits);
    if (number == 0) throw InvalidOption("hardwork: 65,535 different limits are in use already");
    return std::make_shared<const KeptLimits>(engine, limits, number);
}

std::shared_ptr<const KeptLimits> PoolCore::limits(const std::shared_ptr<const KeptLimits>& base,
                                                   const TaskOptions& options) const {
    if (!engine_->in_owner_process()) throw WrongProcess();
    return KeptLimits::make(engine_, face::checked_limits(base ? base->limits() : TaskLimits{}, options));
}

}  // namespace detail

}  // namespace hardwork
