// The worker's side of stopping a task: which execution is under way, for stop_requested().
#pragma once

#include <cstdint>

#include "base/atomic.hpp"
#include "shm/lane.hpp"

namespace hardwork {

// Written by the claim loop. Atomic since a handler or another thread of the task may ask.
struct RunningHere {
    Atomic<const shm::Control*> control{nullptr};  // while there is a claim loop
    Atomic<std::uint32_t> item{0};
    Atomic<std::uint64_t> told{~std::uint64_t{0}};  // the execution that has had its answer
};
inline RunningHere running_here;

}  // namespace hardwork
