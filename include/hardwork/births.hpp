// How worker processes come into being: what a face provides (WorkerSource, TemplateHooks) and what the engine gives.
//
//   parent process                    template (zygote)                     worker
//   WorkerSource::start_template ---> serve_template(channel, hooks)
//   Supervisor: BIRTH + lane fd  ---> hooks.fork_worker() ---------------> hooks.worker_main(WorkerSetup)
//               <--- BORN pid + pidfd                                       run_worker(setup, runner)
//               <--- DIED pid status   (the template reaps)
// or, without a template (start method spawn): WorkerSource::start_worker -> a fresh program -> run_worker(setup, runner)
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#include <cstdint>

#include "hardwork/error.hpp"

namespace hardwork {

// The descriptors a worker lives by. Owned by the worker process from its birth on.
struct WorkerSetup {
    int lane_fd = -1;    // the memory of its lane: shared with the parent alone
    int input_fd = -1;   // the parent's input arena: can be mapped for reading only
    int parent_fd = -1;  // pidfd of the parent: readable when the parent has ended
    // Hangs up when the parent has executed another program, which its pidfd does not tell. None where a template sees
    // to that.
    int program_fd = -1;
};

// Parent's side. Calls come from the supervisor's thread or from the thread that starts the pool; a Python face takes
// the GIL itself. Never called with an engine lock held.
class WorkerSource {
  public:
    virtual ~WorkerSource() = default;
    virtual bool uses_template() const = 0;
    // Starts a template process that calls serve_template(channel_fd, ...). channel_fd is the child's end; the caller
    // closes its copy afterwards. Returns 0 and sets pid, or an errno value.
    virtual int start_template(int channel_fd, std::int32_t& pid) = 0;
    // Starts one worker program that calls run_worker with these descriptors (the caller closes its copies of those it
    // owns afterwards). Returns 0 and sets pid, or an errno value.
    virtual int start_worker(const WorkerSetup& setup, std::int32_t& pid) = 0;
    // There will be no more births: what is kept for them can go. Once, when all that was started has ended; never in a
    // fork of the parent.
    virtual void end() {}
};

// Template's side.
class TemplateHooks {
  public:
    virtual ~TemplateHooks() = default;
    // fork(2) with whatever the language runtime needs around it. 0 in the child, -1 and errno on failure.
    virtual std::int32_t fork_worker() = 0;
    // The life of a worker, in the child: calls run_worker. Its return value is the process's exit code.
    virtual int worker_main(const WorkerSetup& setup) = 0;
};

// The template's life: serves births until the parent ends or says STOP. Single-threaded. Returns in the template with
// the exit code, and in each worker it forked with worker_main's return value: the caller must end the process with it.
int serve_template(int channel_fd, TemplateHooks& hooks);

}  // namespace hardwork
