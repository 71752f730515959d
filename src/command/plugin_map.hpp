// `hardwork map -- LIBRARY:FUNCTION`: each item is a call in a worker of a pool.
#pragma once

#include "command/arguments.hpp"
#include "hardwork/plugin.h"

namespace hardwork::command {

// The function, loaded; nullptr, and why not.
hardwork_function load_plugin(const MapArguments& arguments, std::string& why);

// Until all is done. The exit code. Throws what making a pool throws.
int map_by_plugin(const MapArguments& arguments, hardwork_function function);

}  // namespace hardwork::command
