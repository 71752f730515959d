// A worker's life between INIT and its end:
//
//   IDLE -> CLAIM -> DECODE -> RUN -> ENCODE -> PUBLISH -> IDLE
//             |                                             ^
//             +--- the parent has taken it back ------------+
//
// CLAIM is entered before the compare-and-swap: a worker that dies in CLAIM may or may not own the request, and has in
// either case not touched it. DECODE, RUN and ENCODE are marked by the Runner.
#pragma once

#include <cstdint>
#include <utility>

#include "hardwork/worker.hpp"
#include "os/identity.hpp"
#include "shm/arena.hpp"
#include "shm/lane.hpp"
#include "worker/publisher.hpp"

namespace hardwork {

class ClaimLoop {
  public:
    ClaimLoop(shm::Lane& lane, const WorkerSetup& setup, Runner& runner);
    ClaimLoop(const ClaimLoop&) = delete;
    ClaimLoop& operator=(const ClaimLoop&) = delete;
    ~ClaimLoop();
    int run();  // returns the exit code

  private:
    struct Stopwatch {
        static constexpr double kShortNs = 500;
        static constexpr std::uint32_t kShared = 8;

        std::uint64_t begin = 0;   // in ticks
        std::uint32_t laps = 0;    // calls since then
        std::uint32_t stride = 1;  // calls that share one look at the clock

        std::uint32_t lap(double ns_per_tick);  // ns a call; 0: not looked at
    };

    bool prepare();
    void announce();
    void wait_for_work();
    void run_task(shm::Request& request);
    void run_span(shm::Request& request);
    void execute(const shm::Request& request, const Invocation& call, shm::RecordKind kind, Stopwatch& watch);
    void begin(const shm::Request& request, std::uint32_t item);
    std::span<const std::byte> payload(const shm::Request& request);
    // Not before it has done something: where all have too much from their birth on, nothing would ever be done.
    bool limit_reached() {
        if (executed_ == 0) return damaged();
        return (max_tasks_ != 0 && executed_ >= max_tasks_) || (max_memory_ != 0 && memory_exceeded()) || damaged();
    }
    bool memory_exceeded();
    // Whether a task has closed our descriptors, or put its own files there. Short tasks are not suspected.
    bool damaged() { return damaged_ || (std::exchange(look_at_files_, false) && files_changed()); }
    bool files_changed();

    shm::Lane& lane_;
    shm::Control& control_;
    Runner& runner_;
    PhaseMark phase_;
    shm::Windows input_windows_;
    ResultBuffer out_;
    Publisher publisher_;
    std::uint32_t head_ = 0;
    std::uint32_t known_tail_ = 0;  // of the requests, as last looked at: the line is the parent's, who writes it often
    std::uint32_t executed_ = 0;
    std::uint32_t max_tasks_;
    bool span_is_task_;
    std::uint64_t max_memory_;
    std::uint64_t memory_looked_at_ = 0;  // in ticks
    bool memory_exceeded_ = false;
    os::KnownFile lane_file_;
    os::KnownFile input_file_;
    bool look_at_files_ = false;
    bool damaged_ = false;
    double ns_per_tick_;
    Stopwatch watch_;
    bool timing_ = false;  // watch_ runs since the last task, which was of timed_function_
    std::uint32_t timed_function_ = 0;
};

}  // namespace hardwork
