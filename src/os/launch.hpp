// Programs that are started one after the other with their output in pipes: posix_spawn(3), whose child borrows the memory
// of its parent until it has become the other program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

// Where a program of that name is found, as a shell would; nothing if it is not. A name with a slash is a path.
std::optional<std::string> find_program(const std::string& name);

enum class Group { of_parent, own };

// Reads nothing and writes to output_fd; standard error is shared. Signals are handled by default, and none is blocked.
// arguments: the first is the name, the last nullptr.
Result<std::int32_t> launch(const char* path, char* const* arguments, int output_fd, Group group);

// To a process that was launched and has not been reaped, or with Group::own to all that it has started.
void signal_launched(std::int32_t pid, Group group, int signal);

}  // namespace hardwork::os
