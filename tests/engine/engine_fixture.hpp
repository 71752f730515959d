// An engine over a forked template whose tasks are small numbers with meanings.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "hardwork/engine.hpp"
#include "hardwork/worker.hpp"
#include "lone_fork.hpp"
#include "worker/stop.hpp"

namespace hardwork::test {

// What a task does with its number x. The result is 2 * x unless it says otherwise.
enum : std::int64_t {
    kKill = -1,         // dies by SIGKILL while it runs
    kExit3 = -2,        // exits with code 3 while it runs
    kSleep = -3,        // sleeps 300 ms
    kThrow = -4,        // ends as an exception with the bytes "oops"
    kLarge = -5,        // answers with 3 MB of the byte 7
    kDieEncoding = -6,  // dies in ENCODE
    kDieDecoding = -7,  // dies in DECODE
    kForge = -8,        // writes a record that cannot be: an outcome out of range
    kPid = -9,          // answers with its process id
    kHeeds = -10,       // runs until it is told to stop, then answers 100 + the reason
    kDeaf = -11,        // computes for ever
    kFreeze = -12,      // stops its own process (SIGSTOP), for ever
    kDieTwice = -13,    // dies by SIGKILL, but for the third time it is run; answers 3
    kHold = -14,        // takes 150 MB for good, and answers how much
    kMedium = -16,      // answers with 30,000 bytes of 7
    kForgeHead = -17,   // says that it is done with what it runs, and dies
    kUntilTerm = -18,   // runs until SIGTERM comes, and answers then
    kHoldLong = -19,    // takes 150 MB, has them for three seconds, and answers then
    kExitThread = -20,  // ends its main thread with code 3, and not the others
    kGrow = -15,        // takes 1 MB more each millisecond, for ever
};
inline constexpr std::size_t kLargeSize = 3'000'000;
inline constexpr std::size_t kMediumSize = 30'000;  // still goes through the ring
inline constexpr std::size_t kCounters = 1 << 18;

// For fail_initialize, beside 1: it fails, and 2: it exits.
inline constexpr int kHeld = 3;           // waits until kLetGo is set
inline constexpr int kFrozenAtFirst = 4;  // the first worker stops its own process there (SIGSTOP), for ever
inline constexpr int kFrozenAlways = 5;
inline constexpr int kDiesIdle = 6;                   // ready, and dies by SIGSEGV 2 ms later
inline constexpr int kDiesClaiming = 7;               // ready, and dies by SIGSEGV when it has claimed something
inline constexpr int kFrozenDefining = 8;             // the first worker, as it is told of a function
inline constexpr int kFrozenClaiming = 10;            // the first worker, when it has claimed something
inline constexpr int kDiesDefining = 9;               // by SIGSEGV, as it is told of the second function
inline constexpr std::size_t kLetGo = kCounters - 1;  // of the shared counters
inline constexpr std::size_t kTries = kCounters - 2;
inline constexpr std::size_t kForgeAt = kCounters - 3;   // the item whose record cannot be; its worker goes on
inline constexpr std::size_t kBirths = kCounters - 5;    // counted where the first worker does what no other does
inline constexpr std::size_t kRewindAt = kCounters - 4;  // the item that sets its span's cursor back to 0, and dies

// Counts executions in memory that all processes share.
inline std::atomic<std::uint32_t>* new_counters() {
    return static_cast<std::atomic<std::uint32_t>*>(
        mmap(nullptr, kCounters * 4, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
}
inline std::atomic<std::uint32_t>*& shared_counters() {
    static auto* counters = new_counters();
    return counters;
}

class TestRunner final : public Runner {
  public:
    explicit TestRunner(int fail_initialize) : fail_initialize_(fail_initialize) {}
    bool initialize(Output& out) override {
        if (fail_initialize_ == 2) _exit(9);
        if (fail_initialize_ == kHeld) {
            while (shared_counters()[kLetGo].load() == 0)
                usleep(1'000);
        }
        if (fail_initialize_ == kFrozenAlways) raise(SIGSTOP);
        if (fail_initialize_ == kFrozenAtFirst && shared_counters()[kBirths].fetch_add(1) == 0) raise(SIGSTOP);
        if (fail_initialize_ == kDiesIdle) {
            std::signal(SIGSEGV, SIG_DFL);
            std::thread([] {
                usleep(2'000);
                raise(SIGSEGV);
            }).detach();
        }
        if (fail_initialize_ != 1) return true;
        std::memcpy(out.allocate(4), "nope", 4);
        out.finish(4);
        return false;
    }
    void define(std::uint32_t function, std::span<const std::byte>) override {
        if (fail_initialize_ == kFrozenDefining && shared_counters()[kBirths].fetch_add(1) == 0) raise(SIGSTOP);
        if (fail_initialize_ == kDiesDefining && function == 2) crash();
        if (function >= defined_.size()) defined_.resize(function + 1);
        defined_[function] = true;
    }
    Outcome run(const Invocation& call, PhaseMark& phase, Output& out) override {
        if (fail_initialize_ == kDiesClaiming) crash();
        if (fail_initialize_ == kFrozenClaiming && shared_counters()[kBirths].fetch_add(1) == 0) raise(SIGSTOP);
        phase.enter(Phase::decode);
        std::int64_t x;
        std::memcpy(&x, call.payload.data(), sizeof x);
        if (call.is_item && x >= 0) x += call.index;
        if (x == kDieDecoding) raise(SIGKILL);
        phase.enter(Phase::run);
        if (call.function >= defined_.size() || !defined_[call.function]) _exit(77);
        if (x >= 0 && static_cast<std::size_t>(x) < kCounters) shared_counters()[x].fetch_add(1);
        HARDWORK_FAULT_POINT();  // it has run, and that shows
        if (x > 0 && shared_counters()[kRewindAt].load() == x) rewind_and_die();
        std::int64_t answer = 2 * x;
        switch (x) {
            case kKill: raise(SIGKILL); break;
            case kExit3: _exit(3);
            case kExitThread: syscall(SYS_exit, 3); break;
            case kSleep: usleep(300'000); break;
            case kPid: answer = getpid(); break;
            case kHeeds: {
                StopReason reason;
                while ((reason = stop_requested()) == StopReason::none)
                    usleep(500);
                answer = 100 + static_cast<std::int64_t>(reason);
                break;
            }
            case kDeaf:
                for (std::atomic<int> i{0};;)
                    i.fetch_add(1);
            case kFreeze: raise(SIGSTOP); break;
            case kDieTwice:
                answer = shared_counters()[kTries].fetch_add(1) + 1;
                if (answer < 3) raise(SIGKILL);
                break;
            case kForgeHead:
                const_cast<shm::Control*>(running_here.control.load())->worker.request_head.fetch_add(1);
                usleep(50'000);
                raise(SIGKILL);
                break;
            case kUntilTerm: {
                static volatile std::sig_atomic_t term = 0;
                std::signal(SIGTERM, [](int) { term = 1; });
                while (term == 0)
                    usleep(200);
                break;
            }
            case kHold: answer = take_memory(150'000'000); break;
            case kHoldLong:
                take_memory(150'000'000);
                usleep(3'000'000);
                break;
            case kGrow:
                for (;;) {
                    take_memory(1'000'000);
                    usleep(1'000);
                }
            default: break;
        }
        phase.enter(Phase::encode);
        if (x == kDieEncoding) raise(SIGKILL);
        if (x == kThrow) {
            std::memcpy(out.allocate(4), "oops", 4);
            out.finish(4);
            return Outcome::exception;
        }
        if (x == kLarge) {
            std::memset(out.allocate(kLargeSize), 7, kLargeSize);
            out.finish(kLargeSize);
            return Outcome::value;
        }
        if (x == kMedium) {
            std::memset(out.allocate(kMediumSize), 7, kMediumSize);
            out.finish(kMediumSize);
            return Outcome::value;
        }
        std::memcpy(out.allocate(8), &answer, 8);
        out.finish(8);
        const bool forges = x == kForge || (x > 0 && shared_counters()[kForgeAt].load() == x);
        return forges ? static_cast<Outcome>(200) : Outcome::value;
    }

  private:
    static void crash() {
        std::signal(SIGSEGV, SIG_DFL);  // a sanitizer would write a report each time
        raise(SIGSEGV);
    }
    // As a stray store of a task's may do.
    static void rewind_and_die() {
        auto* control = const_cast<shm::Control*>(running_here.control.load());
        auto* requests = reinterpret_cast<shm::Request*>(reinterpret_cast<std::byte*>(control) + 4096);
        shm::Request& request = requests[control->worker.position.load() % shm::kRequestSlots];
        request.claim.store(shm::pack_cursor(0, shm::cursor_end(request.claim.load())));
        raise(SIGKILL);
    }
    static std::int64_t take_memory(std::size_t size) {
        const void* memory =
            mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
        return memory != MAP_FAILED ? static_cast<std::int64_t>(size) : 0;
    }

    int fail_initialize_;
    std::vector<bool> defined_;
};

// Which process this is, of those of a pool that a ForkSource makes.
enum class Role : std::uint32_t { parent, zygote, worker };
inline std::atomic<Role> role = Role::parent;  // set by children, in copies of a process that has threads
// Called in each template and worker as soon as there is one.
inline void (*on_fork)() = nullptr;

class ForkSource final : public WorkerSource {
  public:
    explicit ForkSource(int fail_initialize = 0) : fail_initialize_(fail_initialize) {}
    bool uses_template() const override { return true; }
    // The first one is asked for before the pool has threads.
    int start_template(int channel_fd, std::int32_t& pid) override {
#ifdef __SANITIZE_ADDRESS__
        if (lone_ == nullptr) lone_ = std::make_unique<LoneFork>([this](int fd) { live(fd); });
        return lone_->fork(channel_fd, pid);
#else
        pid = fork();
        if (pid == 0) live(channel_fd);
        return pid < 0 ? errno : 0;
#endif
    }
    int start_worker(const WorkerSetup&, std::int32_t&) override { return ENOSYS; }

  private:
    [[noreturn]] void live(int channel_fd) const {
        role = Role::zygote;
        if (on_fork != nullptr) on_fork();
        struct Hooks final : TemplateHooks {
            int fail = 0;
            std::int32_t fork_worker() override {
                const std::int32_t worker = fork();
                if (worker != 0) return worker;
                role = Role::worker;
                if (on_fork != nullptr) on_fork();
                return 0;
            }
            int worker_main(const WorkerSetup& setup) override {
                TestRunner runner(fail);
                return run_worker(setup, runner);
            }
        } hooks;
        hooks.fail = fail_initialize_;
        _exit(serve_template(channel_fd, hooks));
    }

    int fail_initialize_;
#ifdef __SANITIZE_ADDRESS__
    std::unique_ptr<LoneFork> lone_;
#endif
};

// Each worker is a child of this process, which has threads: its runner must not need what one of them may hold.
class StartSource final : public WorkerSource {
  public:
    bool uses_template() const override { return false; }
    int start_template(int, std::int32_t&) override { return ENOSYS; }
    int start_worker(const WorkerSetup& setup, std::int32_t& pid) override {
        pid = fork();
        if (pid != 0) return pid < 0 ? errno : 0;
        role = Role::worker;
        if (on_fork != nullptr) on_fork();
        TestRunner runner(0);
        _exit(run_worker(setup, runner));
    }
};

class Notices final : public EngineEvents {
  public:
    void on_done(std::span<void* const> cookies) override {
        if (before != nullptr) before();
        const std::lock_guard hold(lock);
        seen.insert(seen.end(), cookies.begin(), cookies.end());
    }
    std::function<void()> before;  // set while nothing is subscribed
    std::mutex lock;
    std::vector<void*> seen;
};

class EngineTest : public ::testing::Test {
  protected:
    void start(int workers, std::uint32_t max_tasks = 0, int fail_initialize = 0) {
        EngineOptions options;
        options.workers = workers;
        options.max_tasks_per_worker = max_tasks;
        start_with(options, fail_initialize);
    }
    void start_with(const EngineOptions& options, int fail_initialize = 0) {
        start_with(options, std::make_shared<ForkSource>(fail_initialize));
    }
    void start_with(const EngineOptions& options, std::shared_ptr<WorkerSource> source) {
        shared_counters();
        const Error error = Engine::create(options, std::move(source), notices, engine);
        ASSERT_EQ(error.code, Errc::ok) << error.what;
        const std::byte code{1};
        function = engine->define({&code, 1});
    }
    void TearDown() override {
        if (engine == nullptr) return;
        engine->begin_shutdown(Shutdown::cancel);
        EXPECT_EQ(engine->wait_stopped(monotonic_ns() + 30'000'000'000), WaitEnd::done);
    }

    Input input_of(std::int64_t x) {
        Input input;
        EXPECT_TRUE(engine->allocate(sizeof x, input));
        std::memcpy(input.data, &x, sizeof x);
        return input;
    }
    Task* submit(std::int64_t x) {
        Input input = input_of(x);
        Error why;
        return engine->submit(function, input, why);
    }
    Task* submit(std::int64_t x, const TaskLimits& limits) {
        Input input = input_of(x);
        Error why;
        const std::uint32_t number = engine->limits(limits);
        Task* task = engine->submit(function, input, number, why);
        engine->release_limits(number);
        return task;
    }
    TaskResult wait(Task* task) {
        if (!engine->is_done(task) && !engine->spin(task)) {
            WaitEnd end = engine->wait(task, monotonic_ns() + 30'000'000'000);
            EXPECT_EQ(end, WaitEnd::done);
        }
        return engine->result(task);
    }
    std::int64_t number(const TaskResult& result) {
        EXPECT_EQ(result.ending, Ending::value);
        std::int64_t x = 0;
        if (result.bytes.size() == 8) std::memcpy(&x, result.bytes.data(), 8);
        return x;
    }
    std::int64_t call(std::int64_t x) {
        Task* task = submit(x);
        const std::int64_t answer = number(wait(task));
        engine->release(task);
        return answer;
    }
    // Reads a whole map; item_check(index, result).
    template <class Check>
    std::uint64_t read(Job* job, Check check) {
        ResultBlock block;
        TaskResult result;
        std::uint64_t count = 0;
        for (;;) {
            switch (engine->next_block(job, block)) {
                case JobState::block:
                    while (block.next(result))
                        check(count++, result);
                    continue;
                case JobState::pending:
                    if (!engine->spin(job)) {
                        EXPECT_EQ(engine->wait(job, monotonic_ns() + 30'000'000'000), WaitEnd::done);
                    }
                    continue;
                default: return count;
            }
        }
    }
    Job* map(std::int64_t first, std::uint32_t count) {
        Error why;
        Job* job = engine->start_job(function, {}, why);
        Input input = input_of(first);
        engine->add_span(job, input, count);
        engine->seal(job);
        return job;
    }

    std::shared_ptr<Notices> notices = std::make_shared<Notices>();
    std::shared_ptr<Engine> engine;
    std::uint32_t function = 0;
};

}  // namespace hardwork::test
