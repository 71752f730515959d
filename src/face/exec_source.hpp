// Births by exec: each worker is the program's own binary, started again. And what may run there.
//
// Addresses differ from run to run, but in the program's own binary all by the same amount. So code travels as what its
// addresses are in the file.
#pragma once

#include <memory>

#include "hardwork/births.hpp"
#include "hardwork/detail/trampoline.hpp"
#include "hardwork/initializer.hpp"

namespace hardwork::face {

// Throws InvalidOption if main has not begun with enter_worker(), and for an initializer that is not registered.
std::shared_ptr<WorkerSource> make_exec_source(const Initializer& initializer);

// As it travels. Throws UnregisteredTask.
detail::Code code_in_file(const detail::Code& code);
// As it can be called in this process.
detail::Code code_in_memory(const detail::Code& code);

}  // namespace hardwork::face
