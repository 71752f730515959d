// What a program says of limits, as the engine takes it.
#pragma once

#include "hardwork/limits.hpp"
#include "hardwork/options.hpp"

namespace hardwork::face {

// base, but for what the options say. Throws InvalidOption.
TaskLimits checked_limits(TaskLimits base, const TaskOptions& options);

}  // namespace hardwork::face
