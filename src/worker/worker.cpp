#include "hardwork/worker.hpp"

#include "hardwork/fault.hpp"
#include "os/signal.hpp"
#include "shm/lane.hpp"
#include "worker/claim_loop.hpp"
#include "worker/parent_watch.hpp"

namespace hardwork {

int run_worker(const WorkerSetup& setup, Runner& runner) {
    // Where memory runs out a worker goes before the parent, whose death would cost everything; whatever its size, since one
    // that has just been born has little, and its parent is then the largest of a small cgroup.
    os::raise_oom_score(1000);
    auto lane = shm::Lane::attach(setup.lane_fd);
    if (!lane) return 71;  // EX_OSERR of sysexits.h
    HARDWORK_FAULT_POINT();
    if (!start_parent_watch(setup.parent_fd, setup.program_fd)) return 71;
    int code;
    {
        ClaimLoop loop(lane.value(), setup, runner);
        code = loop.run();
    }
    HARDWORK_FAULT_POINT();
    stop_parent_watch();
    return code;
}

}  // namespace hardwork
