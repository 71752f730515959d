// The work that strikes are carried out in, and the walk from place to place. Each kind of work is a run of its own, from
// the making of a pool to its end, and knows what must have come of it.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <set>
#include <thread>

#include "strike.hpp"

namespace hardwork::test {

// ThreadSanitizer makes a run so slow that a walk would take longer than its watchdog waits.
#if HARDWORK_FAULT_POINTS && !defined(__SANITIZE_THREAD__)
#define HARDWORK_CAN_STRIKE 1

// Without a template the tests fork a process that has threads. glibc's allocator survives that, the sanitizer's does not: a
// worker may wait for ever for a lock that another thread of the parent's had.
#ifdef __SANITIZE_ADDRESS__
inline constexpr bool kForksWithThreads = false;
#else
inline constexpr bool kForksWithThreads = true;
#endif

inline constexpr std::uint32_t kTasks = 40;
inline constexpr std::uint32_t kItems = 150;
inline constexpr std::int64_t kFirst = 1'000;
inline constexpr std::size_t kBigInput = 100'000;
inline constexpr std::uint32_t kTasksEach = 45;  // then a worker retires, with a backlog

struct Lost {
    std::uint32_t count = 0;
};

// Lets who was stopped go on, some time later each time.
class Continuer {
  public:
    Continuer()
        : thread_([this] {
              while (!over_.load()) {
                  usleep(20'000);
                  continue_all();
              }
          }) {}
    Continuer(const Continuer&) = delete;
    Continuer& operator=(const Continuer&) = delete;
    ~Continuer() {
        over_.store(true);
        thread_.join();
    }

  private:
    std::atomic<bool> over_{false};
    std::thread thread_;
};

struct Place {
    Site* site = nullptr;
    std::uint32_t passed = 0;  // in a run without strikes
    bool seldom = false;       // not in each run
};

class FaultPoints : public EngineTest {
  public:
    using Run = Lost (FaultPoints::*)();

    // Tasks with small and large inputs and results, a map, cancelled tasks, workers that retire with a backlog.
    Lost plain() {
        begin();
        const Lost lost = work();
        expect_whole();
        finish();
        return lost;
    }
    // The same with a worker of its own for each place in a program without a template.
    Lost without_template() {
        begin();
        engine->begin_shutdown(Shutdown::finish);
        EXPECT_EQ(engine->wait_stopped(kLongNs + monotonic_ns()), WaitEnd::done);
        engine.reset();
        EngineOptions options;
        options.workers = 2;
        options.max_tasks_per_worker = kTasksEach;
        start_with(options, std::make_shared<StartSource>());
        const Lost lost = work();
        expect_whole();
        finish();
        return lost;
    }
    // Time limits that are reached, with and without an answer, somebody who asks, and tasks that run again.
    Lost limits() {
        begin();
        constexpr std::uint64_t kMs = 1'000'000;
        Lost lost;
        shared_counters()[kTries].store(0);
        Task* asked = submit(kHeeds);
        for (int i = 0; i < 30'000 && !engine->is_running(asked); ++i)
            usleep(100);
        engine->stop(asked);
        const struct {
            Task* task;
            Ending ending;
            std::int64_t value;
        } some[] = {
            {asked, Ending::value, 100 + static_cast<std::int64_t>(StopReason::request)},
            {submit(kHeeds, {5 * kMs, 60'000 * kMs, 0}), Ending::value,
             100 + static_cast<std::int64_t>(StopReason::timeout)},
            {submit(kDeaf, {5 * kMs, 2 * kMs, 0}), Ending::timed_out, 0},
            {submit(kDieTwice, {0, 500 * kMs, 2}), Ending::value, 3},
            {submit(kFirst, {60'000 * kMs, 500 * kMs, 0}), Ending::value, 2 * kFirst},
        };
        for (const auto& each : some) {
            const TaskResult result = wait(each.task);
            // One that is being stopped and dies has been stopped.
            const bool struck = board()->struck.load() != 0 && result.ending != each.ending;
            if (result.ending == Ending::worker_died || struck) {
                ++lost.count;
            } else {
                EXPECT_EQ(result.ending, each.ending);
                if (result.ending == Ending::value && each.ending == Ending::value) {
                    EXPECT_EQ(number(result), each.value);
                }
            }
            engine->release(each.task);
        }
        expect_whole();
        finish();
        return lost;
    }
    // Each worker has more memory than it may have.
    Lost memory() {
        clear();
        EngineOptions options;
        options.workers = 2;
        options.max_memory_per_worker = 1;
        start_with(options);
        Lost lost;
        for (const std::int64_t x : {std::int64_t{kHeeds}, kFirst, kFirst + 1}) {
            Task* task = submit(x);
            const TaskResult result = wait(task);
            if (result.ending == Ending::worker_died || result.ending == Ending::memory_exceeded) {
                ++lost.count;
            } else {
                EXPECT_EQ(number(result), x == kHeeds ? 100 + static_cast<std::int64_t>(StopReason::memory) : 2 * x);
            }
            engine->release(task);
        }
        finish();
        return lost;
    }
    // Its initializer fails, and so all ends at once.
    Lost failing() {
        clear();
        start(2, 0, 1);
        for (int i = 0; i < 5; ++i) {
            Task* task = submit(i);
            if (task == nullptr) continue;
            EXPECT_EQ(wait(task).ending, Ending::broken);
            engine->release(task);
        }
        finish();
        return {};
    }
    Lost cancelled() { return ended(Shutdown::cancel); }
    Lost terminated() { return ended(Shutdown::terminate); }

  protected:
    static constexpr std::uint64_t kLongNs = 60'000'000'000;

    static void SetUpTestSuite() {
        board();
        shared_counters();
        fault::hook = pass;
        on_fork = note_pid;
    }
    static void TearDownTestSuite() {
        fault::hook = nullptr;
        on_fork = nullptr;
    }

    void clear() {
        board()->struck.store(0);
        board()->pids_used.store(0);
        for (std::int64_t x = kFirst; x < kFirst + kTasks + kItems; ++x)
            shared_counters()[x].store(0);
    }
    void begin() {
        clear();
        start(2, kTasksEach);
        if (frozen_) limits_ = engine->limits({2'000'000'000, 20'000'000, 0});
    }
    void finish() {
        engine->begin_shutdown(Shutdown::finish);
        // One that is stopped does not end when it is told to.
        for (int i = 0; i < 1'000 && frozen_; ++i) {
            if (engine->wait_stopped(monotonic_ns() + 10'000'000) == WaitEnd::done) break;
            engine->signal_workers(SIGKILL);
        }
        ASSERT_EQ(engine->wait_stopped(monotonic_ns() + kLongNs), WaitEnd::done);
        disarm();
        engine.reset();
        limits_ = 0;
    }
    // The pool's end comes while there is work.
    Lost ended(Shutdown how) {
        begin();
        Lost lost;
        std::vector<Task*> tasks;
        for (std::int64_t x = kFirst; x < kFirst + kTasks; ++x)
            tasks.push_back(submit(x));
        Job* job = start_map();
        engine->poll();
        engine->begin_shutdown(how);
        for (std::size_t at = 0; at < kTasks; ++at) {
            const Ending ending = wait(tasks[at]).ending;
            // What a terminated pool loses counts as cancelled, and may have begun.
            if (ending != Ending::cancelled || how != Shutdown::terminate) {
                expect_once(kFirst + static_cast<std::int64_t>(at), ending, lost);
            }
            engine->release(tasks[at]);
        }
        engine->release_job(job);
        finish();
        return lost;
    }

    void expect_once(std::int64_t x, Ending ending, Lost& lost) {
        const std::uint32_t runs = shared_counters()[x].load();
        switch (ending) {
            case Ending::value: EXPECT_EQ(runs, 1U) << "task " << x; break;
            case Ending::cancelled: EXPECT_EQ(runs, 0U) << "task " << x; break;
            case Ending::worker_died:
                EXPECT_LE(runs, 1U) << "task " << x;
                ++lost.count;
                break;
            case Ending::timed_out:
                if (frozen_) {
                    EXPECT_LE(runs, 1U) << "task " << x;
                    ++lost.count;
                    break;
                }
                [[fallthrough]];
            default: ADD_FAILURE() << "task " << x << " ended as " << static_cast<int>(ending);
        }
    }

    // Results beside the ring, and more than the ring holds.
    std::vector<Task*> submit_wide() {
        std::vector<Task*> tasks;
        for (int i = 0; i < 16; ++i) {
            Input input = input_of(i == 0 ? kLarge : kMedium);
            Error why;
            tasks.push_back(engine->submit(function, input, limits_, why));
        }
        return tasks;
    }

    // Small and large, alone and in a map, in time and cancelled.
    Lost work() {
        Lost lost;
        std::vector<Task*> tasks;
        for (std::int64_t x = kFirst; x < kFirst + kTasks; ++x) {
            Input input;
            EXPECT_TRUE(engine->allocate(x % 8 == 0 ? kBigInput : sizeof x, input));
            std::memcpy(input.data, &x, sizeof x);
            Error why;
            tasks.push_back(engine->submit(function, input, limits_, why));
            if (tasks.back() == nullptr) {
                ADD_FAILURE() << "the pool took no more: " << why.what;
                return lost;
            }
        }
        for (std::size_t at = 10; at < kTasks; at += 10)
            engine->cancel(tasks[at]);
        const std::vector<Task*> wide = submit_wide();
        Job* job = start_map();
        for (std::size_t at = 0; at < kTasks; ++at) {
            const TaskResult result = wait(tasks[at]);
            const auto x = kFirst + static_cast<std::int64_t>(at);
            expect_once(x, result.ending, lost);
            if (result.ending == Ending::value) {
                EXPECT_EQ(number(result), 2 * x);
            }
            engine->release(tasks[at]);
        }
        for (Task* task : wide) {
            const TaskResult result = wait(task);
            if (result.ending == Ending::value) {
                EXPECT_EQ(result.bytes.size(), task == wide.front() ? kLargeSize : kMediumSize);
                EXPECT_EQ(result.bytes.back(), std::byte{7});
            } else {
                EXPECT_TRUE(result.ending == Ending::worker_died || (frozen_ && result.ending == Ending::timed_out));
                ++lost.count;
            }
            engine->release(task);
        }
        const std::uint64_t items = read(job, [&](std::uint64_t item, const TaskResult& each) {
            const std::int64_t x = kFirst + kTasks + static_cast<std::int64_t>(item);
            expect_once(x, each.ending, lost);
            if (each.ending == Ending::value) {
                EXPECT_EQ(number(each), 2 * x);
            }
        });
        EXPECT_EQ(items, kItems);
        engine->release_job(job);
        return lost;
    }

    Job* start_map() {
        JobOptions options;
        options.limits = limits_;
        Error why;
        Job* job = engine->start_job(function, options, why);
        if (job == nullptr) return nullptr;
        Input input = input_of(kFirst + kTasks);
        engine->add_span(job, input, kItems);
        engine->seal(job);
        return job;
    }

    // The pool is as it was: it takes work, and has all its workers again.
    void expect_whole() {
        // What has no limit may be given to one that is stopped for good, and wait for it.
        constexpr std::uint64_t kLimitNs = 2'000'000'000;
        Task* task = frozen_ ? submit(4, {kLimitNs, 0, 0}) : submit(4);
        const TaskResult result = wait(task);
        if (result.ending != Ending::value) {
            EXPECT_NE(board()->struck.load(), 0U);
        } else {
            EXPECT_EQ(number(result), 8);
        }
        engine->release(task);
        bool whole = false;
        for (int i = 0; i < 30'000 && !whole; ++i) {
            engine->poll();
            const std::vector<WorkerView> workers = engine->workers();
            whole = workers.size() == 2 && workers[0].pid != 0 && workers[1].pid != 0;
            if (!whole) usleep(1'000);
        }
        EXPECT_TRUE(whole) << "a worker was not replaced";
    }

    // One run with a strike; false if it was never carried out.
    bool run_struck(Run run, const Site* site, std::uint32_t hit, Strike strike) {
        board()->hit.store(hit);
        board()->strike.store(static_cast<std::uint32_t>(strike));
        board()->armed.store(site->id.load());
        const std::uint32_t before = site->struck.load();
        const Lost lost = (this->*run)();
        EXPECT_LE(lost.count, board()->struck.load()) << "an innocent task was lost";
        if (strike == Strike::stop && !frozen_) {
            EXPECT_EQ(lost.count, 0U) << "a stopped worker has lost something";
        }
        return site->struck.load() != before;
    }

    // All places that the role passes in some runs without a strike.
    std::vector<Place> places_of(Run run, Role who) {
        constexpr std::uint32_t kRuns = 3;
        std::vector<std::uint32_t> before;
        for (const Site& site : board()->sites)
            before.push_back(site.passed.load());
        for (std::uint32_t i = 0; i < kRuns; ++i)
            EXPECT_EQ((this->*run)().count, 0U);
        std::vector<Place> places;
        for (std::size_t i = 0; i < kMostSites; ++i) {
            Site& site = board()->sites[i];
            const std::uint32_t passed = site.passed.load() - before[i];
            if (site.id.load() == 0 || passed == 0 || site.role.load() != static_cast<std::uint32_t>(who)) continue;
            // Before a forked child is told that it is one.
            if (std::strcmp(site.file, "generation.cpp") == 0) continue;
            places.push_back({&site, std::max(passed / kRuns, 1U), passed < kRuns});
        }
        std::sort(places.begin(), places.end(), [](const Place& one, const Place& other) {
            const int order = std::strcmp(one.site->file, other.site->file);
            return order != 0 ? order < 0 : one.site->line.load() < other.site->line.load();
        });
        return places;
    }
    // Those of a run that another does not pass.
    std::vector<Place> places_beside(Run run, Run other, Role who) {
        const std::vector<Place> known = places_of(other, who);
        std::vector<Place> places = places_of(run, who);
        std::erase_if(places, [&](const Place& place) {
            return std::any_of(known.begin(), known.end(), [&](const Place& each) { return each.site == place.site; });
        });
        return places;
    }

    // At each place: the first, a middle and the last time that it is passed.
    static std::set<std::uint32_t> hits_of(const Place& place) { return {1, (place.passed + 1) / 2, place.passed}; }

    // Every place is struck, or the walk fails and says which were not.
    void walk(Run run, const std::vector<Place>& places, Role who, Strike strike) {
        // For what is passed in some runs only; and for what was passed in each so far, but depends on who is faster.
        constexpr int kSeldomTries = 20;
        constexpr int kMostTries = 300;
        std::size_t number = 0;
        for (const Place& place : places) {
            const Site& site = *place.site;
            const auto strike_at = [&](std::uint32_t hit) {
                SCOPED_TRACE(std::string(name_of(strike)) + " at " + site.file + ":" +
                             std::to_string(site.line.load()) + ", " + name_of(who) + ", time " + std::to_string(hit));
                return run_struck(run, &site, hit, strike) ? 1U : 0U;
            };
            std::uint32_t struck = 0;
            for (const std::uint32_t hit : hits_of(place)) {
                struck += strike_at(hit);
                if (HasFailure()) return;
            }
            const int tries = place.seldom ? kSeldomTries : kMostTries;
            for (int i = 0; i < tries && struck == 0 && site.vain.load() == 0 && !HasFailure(); ++i)
                struck += strike_at(1);
            std::printf("%3zu %s %s:%u: passed %u times a run, struck %u times%s\n", ++number, name_of(who), site.file,
                        site.line.load(), place.passed, struck,
                        struck != 0    ? ""
                        : place.seldom ? ": it is passed in some runs only"
                                       : ": nobody was there");
            EXPECT_TRUE(struck != 0 || place.seldom || site.vain.load() != 0)  // no worker is there yet, or any more
                << "never struck: " << site.file << ":" << site.line.load();
            if (HasFailure()) return;
        }
    }

    bool frozen_ = false;       // who is stopped stays so: tasks have a time limit, and are lost at it
    std::uint32_t limits_ = 0;  // of the tasks of a plain run
};

#endif

}  // namespace hardwork::test
