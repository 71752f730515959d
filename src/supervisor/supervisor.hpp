// Who is alive: asks for births, waits for deaths, restarts the template. One thread, asleep unless something happens.
// It knows lanes only by number and descriptor; what is in them is the engine's business.
#pragma once

#include <cstdint>
#include <memory>

#include "base/result.hpp"
#include "hardwork/births.hpp"
#include "os/fd.hpp"

namespace hardwork {

// Told to the engine, from the supervisor's thread, without any supervisor lock held.
class SupervisorListener {
  public:
    virtual ~SupervisorListener() = default;
    virtual void on_born(std::uint32_t lane, std::int32_t pid) = 0;
    // The process of that lane has ended (also when it ended before on_born; pid 0 if never known).
    virtual void on_death(std::uint32_t lane, std::int32_t pid, ExitStatus status) = 0;
    // No process could be made for that lane (process or descriptor limit, template broken): retried by nobody.
    virtual void on_birth_failed(std::uint32_t lane, Error why) = 0;
    // A timer armed by wake_at() came due.
    virtual void on_timer() = 0;
};

class Supervisor {
  public:
    virtual ~Supervisor() = default;
    // Starts the template (if the source uses one; in the calling thread) and the thread. input_fd and parent_fd are
    // duplicated for the workers; they stay the caller's.
    virtual Status start() = 0;
    // Asks for a worker on this lane. Takes lane_fd's ownership (closed once handed over). From any thread, never blocks.
    virtual void request_birth(std::uint32_t lane, os::Fd lane_fd) = 0;
    // Signals the process of a lane: SIGKILL, SIGTERM ...; false if there is none (yet or any more). A birth under way
    // is signalled as soon as its pid is known when `signal` is SIGKILL. From any thread.
    virtual bool signal_worker(std::uint32_t lane, int signal) = 0;
    // on_timer() at this absolute now_ns() at the latest (the earliest armed wins); kNoDeadline disarms.
    virtual void wake_at(std::uint64_t deadline_ns) = 0;
    // Processes alive or being born.
    virtual int population() const = 0;
    // Kills what still lives, ends the template, joins the thread. Blocks; not from the supervisor's own thread.
    virtual void stop() = 0;
    // In a forked child of the parent: forget everything, touch nothing.
    virtual void abandon() = 0;
};

// listener and source must outlive the supervisor.
std::unique_ptr<Supervisor> make_supervisor(WorkerSource& source, SupervisorListener& listener, int input_fd,
                                            int parent_fd);

}  // namespace hardwork
