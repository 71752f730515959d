// Reaping by pidfd: exactly that process, also when somebody else reaped it and its number has a new owner.
#pragma once

#include <optional>

#include "hardwork/error.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

// waitid(P_PIDFD): nullopt while the process runs; unknown if it is not (or no longer) ours to reap.
std::optional<ExitStatus> reap(const Fd& pidfd);

}  // namespace hardwork::os
