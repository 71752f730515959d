// The engine: bytes in, bytes out. Both faces stand on this header; neither looks behind it.
//
// Every method may be called from any thread. None throws; none takes the GIL or any lock of the caller's.
//
// Not for programs: it is here because public headers need it, and may change at any time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "hardwork/births.hpp"
#include "hardwork/error.hpp"
#include "hardwork/export.hpp"
#include "hardwork/limits.hpp"
#include "hardwork/segment.hpp"
#include "hardwork/stats.hpp"

namespace hardwork {

struct EngineOptions {
    int workers = 1;                         // the most worker processes at a time, 1 or more
    std::uint32_t max_tasks_per_worker = 0;  // a worker ends after so many tasks and is replaced; 0: never
    // Bytes of resident memory. A worker that has more ends after its task and is replaced; a task during which it has twice
    // as much is stopped. 0: no limit.
    std::uint64_t max_memory_per_worker = 0;
    bool on_demand = false;     // start a worker only when no idle one could take the work
    bool span_is_task = false;  // max_tasks_per_worker counts runs of a map's items, not the items
    int stop_signal = 0;        // makes a worker's Runner look at stop_requested(); 0: tasks are not stopped softly
};

struct JobOptions {
    bool ordered = true;            // results in the order of the items; else as they come
    std::uint32_t most_in_row = 0;  // a worker gets so many items at a time; 0: as many as is good
    std::uint32_t limits = 0;       // of each item; a number from Engine::limits
};

// How far the input of a map may run ahead.
struct Bounds {
    std::uint64_t unfinished = ~std::uint64_t{0};  // items without a result
    std::uint64_t unread = ~std::uint64_t{0};      // items whose result was not handed out
};

enum class Room { free, full, unwanted };  // unwanted: the job is cancelled, or the pool broken

struct Task;  // one call: owned by the engine, referred to by a handle that must be released once
struct Job;   // one map: likewise

// The bytes of a call. Small ones lie in the object, large ones are written straight to memory that workers can read.
class Input {
  public:
    Input() = default;
    std::byte* data = nullptr;  // write `length` bytes here
    std::uint64_t length = 0;
    bool in_arena = false;
    std::uint64_t offset = 0;
    std::byte small[24];
};

// What became of a task.
enum class Ending : std::uint8_t {
    value,        // bytes: the encoded result
    exception,    // bytes: the encoded exception
    skipped,      // an item whose input the face could not encode
    worker_died,  // death says how
    cancelled,
    timed_out,        // it did not stop at its time limit, and its worker was killed: death says which
    stopped,          // the same after Engine::stop
    memory_exceeded,  // the same with EngineOptions::max_memory_per_worker
    broken,           // the pool gave up: see Engine::broken_cause
    no_memory,        // the parent could not keep the result
};
inline constexpr std::size_t kEndings = static_cast<std::size_t>(Ending::no_memory) + 1;

struct TaskResult {
    Ending ending = Ending::value;
    std::span<const std::byte> bytes;  // valid until the handle is released
    bool in_lane = false;              // in memory that a fork of this process does not have
    WorkerDeath death{};
};

// A run of a map's results, in order, owned by the reader. Iterate with next().
class HARDWORK_API ResultBlock {
  public:
    ResultBlock();
    ResultBlock(const ResultBlock&) = delete;
    ResultBlock& operator=(const ResultBlock&) = delete;
    ResultBlock(ResultBlock&& other) noexcept;
    ResultBlock& operator=(ResultBlock&& other) noexcept;
    ~ResultBlock();
    // False when the block is used up. result.bytes is valid until the block is destroyed or refilled.
    bool next(TaskResult& result);
    // As Engine::keep, of what next() gave last.
    std::unique_ptr<Segment> keep();

  private:
    friend struct BlockAccess;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// What becomes of the work that is there.
enum class Shutdown {
    finish,          // it is done
    cancel_waiting,  // as cancel, but workers that are being born have their first task all the same
    cancel,          // what has not started is cancelled
    terminate,       // that, and what a worker is killed at counts as cancelled too, not as lost with it
};

enum class WaitEnd { done, timeout, interrupted };
enum class JobState { block, pending, end, cancelled, broken };

// Told of what subscribed futures want to know, and of workers. From the engine's own thread, without locks.
class EngineEvents {
  public:
    virtual ~EngineEvents() = default;
    virtual void on_done(std::span<void* const> cookies) = 0;
    // Whether the two below are wanted; asked once.
    virtual bool wants_workers() const { return false; }
    // A worker has been born; one has ended, otherwise than by finishing (told to, or at its task limit).
    virtual void on_worker_start(std::int32_t /*pid*/) {}
    virtual void on_worker_death(const WorkerDeath& /*death*/) {}
};

// Why a pool gave up: what its initializer raised, or the last of the workers that could not be born or came to nothing.
struct BrokenCause {
    enum class Kind : std::uint8_t { unknown, exception, death, error };
    Kind kind = Kind::unknown;
    std::span<const std::byte> exception;  // encoded
    WorkerDeath death{};                   // how that worker ended; phase says how far it came
    Error error{};                         // why there was no process
};

struct WorkerView {
    std::uint32_t lane = 0;
    std::int32_t pid = 0;  // 0: being born
    Phase phase = Phase::spawn;
};

class Engine {
  public:
    virtual ~Engine() = default;

    // source and events must live until the engine has stopped. The first workers are asked for at once unless
    // options.on_demand. Errc::unsupported names what the kernel refuses.
    static Error create(const EngineOptions& options, std::shared_ptr<WorkerSource> source,
                        std::shared_ptr<EngineEvents> events, std::shared_ptr<Engine>& engine);

    // Functions travel once per worker. The number is valid until forgotten; never 0.
    virtual std::uint32_t define(std::span<const std::byte> code) = 0;
    virtual void forget(std::uint32_t function) = 0;

    // Memory for a call's bytes; give it to submit, add_span or discard. False: no memory.
    virtual bool allocate(std::uint64_t length, Input& input) = 0;
    virtual void discard(Input& input) = 0;

    // A number for limits, valid until released (tasks that have it keep it for themselves). The same limits have the same
    // number; 0: there are 65,535 others in use.
    virtual std::uint32_t limits(const TaskLimits& limits) = 0;
    virtual void release_limits(std::uint32_t limits) = 0;

    // Errc::ok while tasks are taken; else shut_down, broken or forked. Without a lock: submit decides for good.
    virtual Errc closed() const = 0;
    // Takes the input over. nullptr: `why` says (shut_down, broken, forked).
    virtual Task* submit(std::uint32_t function, Input& input, std::uint32_t limits, Error& why) = 0;
    Task* submit(std::uint32_t function, Input& input, Error& why) { return submit(function, input, 0, why); }
    virtual bool is_done(const Task* task) const = 0;  // without looking at the rings
    virtual bool is_running(const Task* task) = 0;     // claimed by a worker
    virtual bool cancel(Task* task) = 0;               // true: it will never run and never has; done then
    // One that has not started is cancelled, one that runs is stopped: softly, after the grace of its limits (default
    // 0.5 s) by killing its worker. False: it was done already.
    virtual bool stop(Task* task) = 0;
    // The same for a map: what has not started never will, and the items that run are stopped. Its reader finds it
    // cancelled. False: all items were done already.
    virtual bool stop(Job* job) = 0;
    virtual TaskResult result(Task* task) = 0;  // of a done task
    // The result of a done task has been read, and nobody reads it again: its bytes go, also those that lie in the memory
    // of its worker.
    virtual void drop_result(Task* task) = 0;
    // Instead, once: the memory in which a worker wrote the result of a done task. Whoever has it may keep it when task,
    // worker and engine have gone, and may write there. nullptr if the bytes do not lie in such memory: copy them.
    virtual std::unique_ptr<Segment> keep(Task* task) = 0;
    virtual void release(Task* task) = 0;  // the handle; the task goes on
    // on_done(cookie) will be called once when it is done; false if it already is (then it is not called).
    virtual bool subscribe(Task* task, void* cookie) = 0;
    // The same when all results of a map are there, or none will come any more.
    virtual bool subscribe(Job* job, void* cookie) = 0;
    // on_done(cookie) will be called once, for something that is done already; false if the engine has stopped.
    virtual bool notify(void* cookie) = 0;

    // Looks at the rings once: takes what has come, gives out what waits.
    virtual void poll() = 0;
    // As poll, again and again until the task is done, at most some 20 us. True if done.
    virtual bool spin(const Task* task) = 0;
    virtual bool spin(const Job* job) = 0;
    // Sleeps until done. deadline: CLOCK_MONOTONIC ns, or ~0 for none. interrupted: a signal handler ran.
    virtual WaitEnd wait(const Task* task, std::uint64_t deadline_ns) = 0;
    virtual WaitEnd wait(const Job* job, std::uint64_t deadline_ns) = 0;  // until a block or the end is there

    // A map: spans in order of their items, then seal. Results come back in that order unless options say otherwise.
    virtual Job* start_job(std::uint32_t function, const JobOptions& options, Error& why) = 0;
    virtual bool add_span(Job* job, Input& input, std::uint32_t count) = 0;
    virtual void seal(Job* job) = 0;
    // So many more results are in the hands of who wanted them; counted only for Bounds::unread.
    virtual void hand_out(Job* job, std::uint64_t count) = 0;
    // For who adds spans while others run: whether more items may come.
    virtual Room room(Job* job, const Bounds& bounds) = 0;
    // Sleeps while the answer is Room::full.
    virtual WaitEnd wait_room(Job* job, const Bounds& bounds) = 0;
    virtual JobState next_block(Job* job, ResultBlock& block) = 0;
    virtual void cancel_rest(Job* job) = 0;  // what has not started never will
    virtual void hold_job(Job* job) = 0;     // one more handle
    virtual void release_job(
        Job* job) = 0;  // a handle; after the last one no item may come; those that are there go on

    // Tasks and maps that are not done.
    virtual std::uint64_t outstanding() = 0;
    virtual std::vector<WorkerView> workers() = 0;
    // If workers are born on demand: one more, unless one is idle, as for a task.
    virtual void demand_worker() = 0;
    virtual PoolStats stats() = 0;
    // How a worker has ended; unknown for one that lives, was never ours, or ended some thousand deaths ago.
    virtual ExitStatus exit_status(std::int32_t pid) = 0;
    // The process ids of those that have ended, as many as exit_status knows, the newest first.
    virtual std::vector<std::int32_t> ended_workers() = 0;
    virtual void signal_workers(int signal) = 0;
    // No more submits. A later call can only be harder than the one before.
    virtual void begin_shutdown(Shutdown how) = 0;
    // After begin_shutdown: drops what has not started, also what comes back from workers that die, and kills those that
    // have not ended after the grace, and whoever is born later. Waits for nothing.
    virtual void end_workers(std::uint64_t grace_ns) = 0;
    // After begin_shutdown: true when every task is done and every worker has gone. Not from on_done.
    virtual WaitEnd wait_stopped(std::uint64_t deadline_ns) = 0;
    virtual bool in_owner_process() const = 0;
    // After Errc::broken, JobState::broken or Ending::broken.
    virtual const BrokenCause& broken_cause() const = 0;
};

HARDWORK_API std::uint64_t monotonic_ns();
HARDWORK_API int usable_cpus();  // see os/cpu.hpp: affinity and cgroup quota

}  // namespace hardwork
