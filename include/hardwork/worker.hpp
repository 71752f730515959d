// A worker's side of the engine: bytes in, bytes out. A face provides a Runner; run_worker claims, calls it, publishes.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "hardwork/births.hpp"
#include "hardwork/error.hpp"
#include "hardwork/export.hpp"
#include "hardwork/fault.hpp"
#include "hardwork/limits.hpp"
#include "hardwork/segment.hpp"

namespace hardwork {

// How a task ended, as the record says it.
enum class Outcome : std::uint8_t {
    value = 0,      // payload is the encoded result
    exception = 1,  // payload is the encoded exception
    skipped = 2,    // item of a map whose input could not be encoded: nothing was run (the parent holds the error)
};

struct Invocation {
    std::uint32_t function = 0;          // number given at define; 0: the payload names the function itself
    std::uint32_t index = 0;             // item within a span; 0 for a task
    bool is_item = false;                // one item of a span
    bool unreadable = false;             // the input could not be mapped (address space limit): a MemoryError
    std::span<const std::byte> payload;  // a task's input, or the whole span's (the Runner finds item `index` in it)
};

// Where the worker says what it is doing; the parent reads it when the worker is dead.
class PhaseMark {
  public:
    explicit PhaseMark(std::atomic<std::uint32_t>& word) : word_(&word) {}
    void enter(Phase phase) {
        word_->store(static_cast<std::uint32_t>(phase), std::memory_order_release);
        HARDWORK_FAULT_POINT();
    }

  private:
    std::atomic<std::uint32_t>* word_;
};

// Where a result's bytes go: scratch memory while small, the lane's result arena when large. allocate() may be called
// once per invocation (again only with a larger size before anything else); finish with the bytes really used.
class HARDWORK_API Output {
  public:
    virtual ~Output() = default;
    // nullptr when there is no memory.
    virtual std::byte* allocate(std::size_t size) = 0;
    void finish(std::size_t used) { used_ = used; }
    // Instead of both: the result is what lies in the segment, all of it, and nothing is copied. Afterwards the memory is the
    // parent's, and the segment has none. False if it is not of this worker's result memory.
    virtual bool hand_over(Segment& /*segment*/) { return false; }
    std::size_t used() const { return used_; }

  protected:
    std::size_t used_ = 0;
};

class Runner {
  public:
    virtual ~Runner() = default;
    // Preparation (main module, initializer). On false the output holds the encoded exception; no task ever runs.
    virtual bool initialize(Output& out) = 0;
    // A function arrives, once per worker, before the first task that uses it. Must not fail visibly: an error is kept
    // and becomes the outcome of each task that uses it.
    virtual void define(std::uint32_t function, std::span<const std::byte> code) = 0;
    // Decodes, runs, encodes; marks DECODE, RUN, ENCODE as it goes. Must always give an outcome.
    virtual Outcome run(const Invocation& call, PhaseMark& phase, Output& out) = 0;
    // Around sleeping for work (a Python face releases the GIL between).
    virtual void before_sleep() {}
    virtual void after_sleep() {}
    // The worker was interrupted by a signal while idle or between tasks.
    virtual void interrupted() {}
};

// In a worker: why the task that it is running shall end. Answers once for each task, so that what the task does to clean
// up is not stopped too; by any thread, in a signal's handler too. A Runner asks at EngineOptions::stop_signal.
StopReason stop_requested();

// The worker's life: INIT, then claims and runs until told to stop, its task limit is reached, or the parent ended.
// Returns the exit code. Starts a thread that ends the process when the parent has ended (also while a task is busy).
int run_worker(const WorkerSetup& setup, Runner& runner);

// The parent watch must not be a second thread while the task forks (CPython warns, locks would be copied held).
void pause_parent_watch();   // before fork
void resume_parent_watch();  // after fork, in the process that forked; in the child it does nothing

}  // namespace hardwork
