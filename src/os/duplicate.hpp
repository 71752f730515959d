// A second descriptor for the same open file.
#pragma once

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

Result<Fd> duplicate(int fd);  // close-on-exec

}  // namespace hardwork::os
