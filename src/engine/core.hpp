// The engine's state and the parts it is made of, one source file each:
//
//   core.cpp      making it, lanes, functions        submit.cpp    tasks in, cancel, subscribe, release
//   dispatch.cpp  backlog -> lanes                   jobs.cpp      maps in, blocks out
//   take_back.cpp lane -> parent                     burial.cpp    a worker has died: who loses, who goes on
//   steal.cpp     lane -> idle lane                  births.cpp    workers come, or the pool gives up
//   drain.cpp     records -> results                 waiting.cpp   callers that spin and sleep
//   collector.cpp the thread for those who do not wait             shutdown.cpp  the end
//   limits.cpp    time limits, stops, tasks that run again         stats.cpp     what is counted
//   stuck.cpp     workers that do not begin
//
// One lock guards all of it. Nobody holds it while running foreign code, waiting, or taking the GIL.
#pragma once

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "engine/job.hpp"
#include "engine/lane_state.hpp"
#include "engine/slab.hpp"
#include "engine/tally.hpp"
#include "hardwork/engine.hpp"
#include "os/futex.hpp"
#include "os/memory_use.hpp"
#include "os/thread.hpp"
#include "sched/estimate.hpp"
#include "shm/arena.hpp"
#include "supervisor/budget.hpp"
#include "supervisor/supervisor.hpp"

namespace hardwork {

// Slots of a request ring kept for definitions, releases and STOP, so that tasks cannot crowd them out.
inline constexpr std::uint32_t kReservedSlots = 24;
// No process, memory or descriptor was to be had: when to try again.
inline constexpr std::uint64_t kShortagePauseNs = 50'000'000;
inline constexpr std::uint32_t kTasksPerLane = shm::kRequestSlots - kReservedSlots;

// A thread that sleeps until one task or job is done. The first of them (the leader) sleeps on the lanes' bells too and
// drains when one rings; the others sleep on their own word until the leader wakes them or hands over.
struct Waiter {
    const Task* task = nullptr;
    const Job* job = nullptr;
    const Bounds* bounds = nullptr;  // of the job: waits for room, not for results
    Atomic<std::uint32_t> word{0};
};

struct FunctionInfo {
    Input code;
    Estimate estimate;
    std::uint64_t pending = 0;  // tasks and jobs that use it
    bool used = false;
    bool forgotten = false;
    std::uint32_t deaths = 0;  // of workers that were being told of it; see burial.cpp
};

class EngineCore final : public Engine, private SupervisorListener, public std::enable_shared_from_this<EngineCore> {
  public:
    EngineCore(const EngineOptions& options, std::shared_ptr<WorkerSource> source,
               std::shared_ptr<EngineEvents> events);
    ~EngineCore() override;
    Status start();

    std::uint32_t define(std::span<const std::byte> code) override;
    void forget(std::uint32_t function) override;
    bool allocate(std::uint64_t length, Input& input) override;
    Errc closed() const override;
    void discard(Input& input) override;
    std::uint32_t limits(const TaskLimits& limits) override;
    void release_limits(std::uint32_t limits) override;
    using Engine::submit;
    Task* submit(std::uint32_t function, Input& input, std::uint32_t limits, Error& why) override;
    bool stop(Task* task) override;
    bool stop(Job* job) override;
    bool is_done(const Task* task) const override { return state_of(*task) == TaskState::done; }
    bool is_running(const Task* task) override;
    bool cancel(Task* task) override;
    TaskResult result(Task* task) override;
    void drop_result(Task* task) override;
    std::unique_ptr<Segment> keep(Task* task) override;
    void release(Task* task) override;
    bool subscribe(Task* task, void* cookie) override;
    bool subscribe(Job* job, void* cookie) override;
    bool notify(void* cookie) override;
    void poll() override;
    bool spin(const Task* task) override;
    bool spin(const Job* job) override;
    WaitEnd wait(const Task* task, std::uint64_t deadline_ns) override;
    WaitEnd wait(const Job* job, std::uint64_t deadline_ns) override;
    Job* start_job(std::uint32_t function, const JobOptions& options, Error& why) override;
    bool add_span(Job* job, Input& input, std::uint32_t count) override;
    void seal(Job* job) override;
    void hand_out(Job* job, std::uint64_t count) override;
    Room room(Job* job, const Bounds& bounds) override;
    WaitEnd wait_room(Job* job, const Bounds& bounds) override;
    JobState next_block(Job* job, ResultBlock& block) override;
    void cancel_rest(Job* job) override;
    void hold_job(Job* job) override;
    void release_job(Job* job) override;
    std::uint64_t outstanding() override;
    std::vector<WorkerView> workers() override;
    PoolStats stats() override;
    ExitStatus exit_status(std::int32_t pid) override;
    std::vector<std::int32_t> ended_workers() override;
    void signal_workers(int signal) override;
    void demand_worker() override;
    void begin_shutdown(Shutdown how) override;
    void end_workers(std::uint64_t grace_ns) override;
    WaitEnd wait_stopped(std::uint64_t deadline_ns) override;
    bool in_owner_process() const override;
    const BrokenCause& broken_cause() const override { return cause_; }

  private:
    // core.cpp
    LaneState* lane_of(std::uint32_t id);  // nullptr when that lane is gone
    void forget_if_unused(std::uint32_t function);
    bool idle_lane_exists() const;

    // births.cpp
    void on_born(std::uint32_t lane, std::int32_t pid) override;
    void on_birth_failed(std::uint32_t lane, Error why) override;
    Status add_lane();    // asks for one more worker
    void keep_workers();  // births what is missing
    std::uint64_t next_birth_at() const;
    bool work_waits() const;
    void count_barren(const LaneState& lane, const WorkerDeath& death);
    static bool shot(const LaneState& lane, const WorkerDeath& death);
    void no_process(const Error& why);
    void give_up(const BrokenCause& cause);  // if nothing better is to be expected
    void break_pool(const BrokenCause& cause);

    // submit.cpp
    bool cancel_unstarted(Task* task);

    // dispatch.cpp
    void fill();
    bool give_task(LaneState& lane, Task* task);
    bool give_span(LaneState& lane, SpanWork* span);
    bool introduce(LaneState& lane, std::uint32_t function);
    shm::Request* next_request(LaneState& lane);
    void publish(LaneState& lane);
    LaneState* lane_for(const Estimate& estimate, std::uint64_t outstanding);
    Task* pop_task();
    bool give_next_task();
    void queue_front(Task* task);
    LaneState* lane_for_span();
    SpanWork* next_span();
    void put_input(shm::Request& request, const Input& input);

    // take_back.cpp
    Task* take_back_task(LaneState& lane, std::uint32_t position);
    SpanWork* take_back_items(LaneState& lane, std::uint32_t position, std::uint32_t keep);
    void take_back_all(LaneState& lane);

    // steal.cpp
    bool steal_for(LaneState& thief);
    static bool can_lose(const LaneState& lane);
    static bool yet_to_begin(const LaneState& lane);
    static bool late(const LaneState& lane, std::uint64_t now);
    bool any_yet_to_begin() const;
    bool anything_to_steal() const;
    bool worth_stealing() const;

    // drain.cpp
    bool drain();  // all lanes; true if anything came
    bool drain_lane(LaneState& lane);
    void pass_requests(LaneState& lane, std::uint32_t head);
    bool take_next(LaneState& lane, std::uint64_t tail);
    bool take_following(LaneState& lane, shm::Record record, std::uint64_t tail);
    bool take_record(LaneState& lane, const shm::Record& record, const std::byte* payload);
    bool take_init_failure(LaneState& lane, const shm::Record& record, const std::byte* payload);
    void bore_fruit(LaneState& lane);
    bool take_item(LaneState& lane, const shm::Record& record, const std::byte* payload);
    bool take_task(LaneState& lane, const shm::Record& record, const std::byte* payload);
    // False: a record that cannot be. large is nullptr if there is no memory to map it.
    bool take_large(LaneState& lane, const std::byte* payload, LargeResult*& large);
    void refuse(LaneState& lane);  // its worker wrote what cannot be: it is ended
    void tell_releases(LaneState& lane);
    void finish(Task* task, Ending ending, std::span<const std::byte> bytes);
    void finish_large(Task* task, Ending ending, LargeResult* large);
    void finish_dead(Task* task, Ending ending, const WorkerDeath& death);
    void done(Task* task);
    void span_progress(SpanWork* span);
    void drop_span(SpanWork* span);
    void account(LaneState& lane, std::uint32_t function);

    // burial.cpp
    void on_death(std::uint32_t lane, std::int32_t pid, ExitStatus status) override;
    void on_timer() override;
    static bool claims_can_be(LaneState& lane);
    static bool cursor_can_be(const SpanWork& span, std::uint64_t cursor);
    void bury(LaneState& lane, const WorkerDeath& death);
    void bury_span(LaneState& lane, SpanWork* span, std::uint64_t cursor, bool current, const WorkerDeath& death);
    std::uint32_t learning(const LaneState& lane, const WorkerDeath& death) const;

    // stats.cpp
    // False: it ended as it was told.
    bool count_end(const LaneState& lane, const WorkerDeath& death);

    // limits.cpp
    // What a worker is doing, as far as can be known from here.
    struct Running {
        std::uint64_t execution = 0;
        std::uint32_t limits = 0;
        std::uint64_t elapsed_ns = 0;  // if it has a time limit
    };
    static std::uint64_t later(std::uint64_t now, std::uint64_t by) {
        return by > os::kNoDeadline - now ? os::kNoDeadline : now + by;
    }
    bool running(LaneState& lane, Running& found) const;
    bool still_running(LaneState& lane) const;
    bool pending(LaneState& lane, std::uint64_t execution) const;
    void limited_begins(std::uint32_t limits);
    void limited_ends(std::uint32_t limits);
    void drop_limits(std::uint32_t limits);
    void look_at_limits();
    std::uint64_t look_at(LaneState& lane, std::uint64_t now);  // when to look at it again
    void excuse(std::uint64_t now);
    std::uint64_t drive_stop(LaneState& lane, std::uint64_t now);
    bool stop_hard(LaneState& lane, std::uint64_t now);
    void request_stop(LaneState& lane, std::uint64_t execution, std::uint32_t limits);
    void begin_stop(LaneState& lane, std::uint64_t execution, StopReason reason, std::uint64_t grace_ns);
    void send_stop_signal(const LaneState& lane);
    void look_within(std::uint64_t ns);
    void look_not_later(std::uint64_t at);
    void see_to_births_at(std::uint64_t at);
    void set_timer();
    void watch_memory();
    bool timed(std::uint32_t limits) const { return limits_[limits].limits.timeout_ns != 0; }
    // Whether what died with its worker is run again; counts it.
    bool runs_again(const void* what, std::uint64_t item, std::uint32_t limits);
    void forget_runs(const void* what, std::uint64_t item) { runs_.erase({what, item}); }
    // Whether that execution is being stopped, or is past its grace.
    static bool being_stopped(const LaneState& lane, std::uint32_t position, std::uint32_t item);
    static bool stopped_hard(const LaneState& lane, std::uint32_t position, std::uint32_t item);

    // stuck.cpp
    std::uint64_t look_at_stuck(LaneState& lane, std::uint64_t now);  // when to look at it again
    std::uint64_t patience_with(LaneState& lane) const;

    // waiting.cpp
    WaitEnd wait_for(Waiter& waiter, std::uint64_t deadline_ns);
    bool over(const Waiter& waiter) const;
    std::uint64_t gather_ns(const Waiter& waiter) const;
    bool job_ready(const Job& job) const;
    Room room_of(const Job& job, const Bounds& bounds) const;
    void wake_waiters(const Task* task, Job* job);
    void wake_leader();
    bool worth_spinning(const Task* task, const Job* job, int& cpu);
    template <class Over>
    bool spin_until(const Task* task, const Job* job, Over over);
    void add_want(LaneState& lane, std::uint32_t bits);
    void drop_want(LaneState& lane, std::uint32_t bits);

    // ended.cpp
    enum class Finder : std::uint8_t { caller, collector };
    bool find_ended(std::unique_lock<std::mutex>& hold, Finder finder);
    bool memory_is_short();

    // collector.cpp
    void collect();
    void note_worker(bool born, const WorkerDeath& who);
    void tell_workers(std::unique_lock<std::mutex>& hold);
    void wake_collector();
    void look_after_packed();
    std::uint32_t collector_wants() const;
    void arm_idle();

    // jobs.cpp
    void cancel_job(Job& job);
    static bool take_blocks(Job& job, Piece& piece, std::vector<Block>& blocks);
    void listen();
    void free_job_if_over(Job* job);
    void release_chunk(Chunk& chunk);
    void end_items(Job& job, Chunk& chunk, Ending ending, std::uint32_t count);
    void drop_items(Job& job, Chunk& chunk, std::uint32_t count);
    void end_item(SpanWork& span, Ending ending, bool large, std::span<const std::byte> payload);
    void span_over(SpanWork* span);

    // shutdown.cpp
    bool nothing_outstanding() const;
    void send_stops();
    void drop_all(Ending ending, bool but_first = false);
    std::uint64_t end_workers_now();

    const EngineOptions options_;
    const std::int32_t owner_pid_;
    const std::uint32_t owner_generation_;  // a fork of the owner has another
    std::shared_ptr<WorkerSource> source_;
    std::shared_ptr<EngineEvents> events_;
    std::unique_ptr<Supervisor> supervisor_;

    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<LaneState>> lanes_;  // by slot; empty where none lives
    LaneState* hot_ = nullptr;                       // given work last
    std::uint32_t lane_generation_ = 0;
    int spin_ns_ = 0;

    Slab slab_;
    std::deque<FunctionInfo> functions_;  // by number; 0 stands for functions that travel with each call
    os::Fd input_memory_;
    os::Fd input_read_only_;
    os::Fd self_;  // pidfd of this process, for the workers
    shm::Arena input_arena_;
    shm::Windows input_windows_;

    Task* backlog_head_ = nullptr;
    Task* backlog_tail_ = nullptr;
    std::uint64_t backlog_size_ = 0;      // tasks, also those cancelled meanwhile
    std::deque<SpanWork*> span_backlog_;  // taken back or orphaned: first in line
    std::deque<Job*> open_jobs_;          // with chunks not yet cut into spans
    bool spans_turn_ = false;
    std::uint64_t next_span_number_ = 1;
    std::uint64_t outstanding_ = 0;  // tasks not done
    std::uint64_t jobs_ = 0;         // jobs not finished
    std::vector<Job*> all_jobs_;     // also finished ones whose handle is held
    std::uint32_t since_drain_ = 0;

    std::list<Waiter*> waiters_;
    Waiter* leader_ = nullptr;

    os::Thread collector_;
    Atomic<std::uint32_t> collector_word_{0};
    std::uint64_t subscriptions_ = 0;
    std::unordered_map<const Task*, void*> subscribers_;     // cookies: few tasks have one, so not in the task
    std::vector<void*> notices_;                             // cookies of done tasks, for the collector
    std::vector<std::pair<bool, WorkerDeath>> worker_news_;  // births and deaths, for the collector; if wanted
    const bool wants_workers_;
    bool collector_timed_ = false;  // it sleeps for some milliseconds at most: work is packed behind other work
    bool packed_ = false;           // it has been woken for that, and has not run yet

    struct LimitsInUse {
        TaskLimits limits;
        std::uint64_t uses = 0;  // by the face, tasks and jobs
    };
    std::vector<LimitsInUse> limits_{1};                // by number; 0 stands for none
    std::uint64_t limited_ = 0;                         // tasks and jobs with limits that are not done
    std::uint64_t smallest_timeout_ = os::kNoDeadline;  // of those in use
    std::uint64_t looks_each_ = os::kNoDeadline;        // ns between looks, as of the last one
    std::uint64_t look_at_ = os::kNoDeadline;           // now_ns() when the timer shall come to look at limits
    std::uint64_t looked_at_ = 0;                       // ... when it last did, or when it was set
    std::uint64_t births_at_ = os::kNoDeadline;         // ... to see to births
    std::uint64_t shortage_until_ = 0;                  // there was no process, memory or descriptor: no birth before
    std::uint64_t replace_after_ = 0;                   // a task was lost: no birth before
    std::map<std::pair<const void*, std::uint64_t>, std::uint32_t>
        runs_;  // of tasks and items that died, and run again

    Tally tally_;
    // Ends are found by two threads, the supervisor's and the collector. Before mutex_.
    std::mutex deaths_mutex_;
    os::OomCounter oom_;                                      // under deaths_mutex_
    std::deque<std::pair<std::int32_t, ExitStatus>> deaths_;  // the last ones, the newest first
    Budget budget_;                                           // of births that never get to work
    bool shutting_down_ = false;
    bool terminating_ = false;
    std::uint64_t kill_from_ = os::kNoDeadline;  // now_ns() from when on workers are killed: end_workers
    bool broken_ = false;
    BrokenCause cause_;
    std::vector<std::byte> cause_bytes_;  // its exception
    bool stopped_ = false;
    Atomic<int> closed_{0};  // an Errc: what submit would answer, readable without the lock
    Atomic<std::uint32_t> stopped_word_{0};
};

}  // namespace hardwork
