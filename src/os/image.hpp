// Where the program's own binary lies in memory: at another address in each run (position-independent executables).
#pragma once

#include <cstdint>

namespace hardwork::os {

// What is added to the addresses in the file. An address less this is the same in every process that runs this file.
std::uintptr_t program_base();
// Whether the address is in the program itself, and not in a library or made while it ran.
bool in_program(std::uintptr_t address);

}  // namespace hardwork::os
