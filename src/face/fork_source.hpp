// Births for the C++ face: the template is a fork of this program, and workers are forks of the template.
#pragma once

#include <functional>
#include <memory>

#include "hardwork/births.hpp"

namespace hardwork::face {

std::shared_ptr<WorkerSource> make_fork_source(std::function<void()> initializer);

}  // namespace hardwork::face
