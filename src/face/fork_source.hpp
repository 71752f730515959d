// Births for the C++ face: the template is a fork of this program, and workers are forks of the template.
#pragma once

#include <memory>

#include "hardwork/births.hpp"
#include "hardwork/initializer.hpp"

namespace hardwork::face {

// Of the program as it is now, or, if it has prepared for that, as it was then. Throws InvalidOption for an initializer
// that cannot travel there, BrokenPool if what was prepared is gone, SystemError.
std::shared_ptr<WorkerSource> make_fork_source(Initializer initializer);

}  // namespace hardwork::face
