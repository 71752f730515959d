// Shared libraries that are loaded while the program runs: dlopen(3).
#pragma once

#include <string>

namespace hardwork::os {

using LoadedFunction = void (*)();

// The function of that name in the library at that path, which stays loaded. nullptr, and why not.
LoadedFunction load_function(const std::string& library, const std::string& name, std::string& why);

}  // namespace hardwork::os
