// The supervisor's patience, in one place; tests shorten it.
#pragma once

#include <cstdint>
#include <memory>

#include "supervisor/supervisor.hpp"

namespace hardwork {

struct SupervisorTimes {
    static constexpr std::uint64_t kMs = 1'000'000;
    std::uint64_t template_start_ns = 60'000 * kMs;  // from its start to its HELLO: it may import a large program
    std::uint64_t template_answer_ns = 5'000 * kMs;  // of one that was ready, to a birth
    std::uint64_t exit_status_ns = 200 * kMs;        // from a worker's end to the template's word about it
    std::uint64_t stop_grace_ns = 1'000 * kMs;       // for the template to end by itself
    // A supervisor that wakes this late was stopped itself (as the whole process tree may have been): nobody is blamed.
    std::uint64_t late_ns = 500 * kMs;
};

std::unique_ptr<Supervisor> make_supervisor(WorkerSource& source, SupervisorListener& listener, int input_fd,
                                            int parent_fd, const SupervisorTimes& times);

}  // namespace hardwork
