// `hardwork map --exec`: a process for each item.
#pragma once

#include "command/arguments.hpp"
#include "command/words.hpp"

namespace hardwork::command {

// Until all is done. The exit code.
int map_by_processes(const MapArguments& arguments, CommandLine command);

}  // namespace hardwork::command
