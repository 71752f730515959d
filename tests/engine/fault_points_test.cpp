// A crash at every store: the same work again and again, each time with a strike at another fault point. Whatever is
// struck, every task ends, what was not running when its worker ended is run exactly once, and the pool goes on.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <thread>

#include "strike.hpp"

namespace hardwork::test {

// ThreadSanitizer makes a run so slow that a walk would take longer than its watchdog waits.
#if HARDWORK_FAULT_POINTS && !defined(__SANITIZE_THREAD__)

namespace {

constexpr std::uint32_t kTasks = 40;
constexpr std::uint32_t kItems = 150;
constexpr std::int64_t kFirst = 1'000;
constexpr std::size_t kBigInput = 100'000;
constexpr std::uint32_t kTasksEach = 45;  // then a worker retires, with a backlog

struct Lost {
    std::uint32_t count = 0;
};

// Lets workers that were stopped go on, some time later each time.
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

}  // namespace

class FaultPoints : public EngineTest {
  protected:
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

    void begin() {
        board()->struck.store(0);
        board()->pids_used.store(0);
        for (std::int64_t x = kFirst; x < kFirst + kTasks + kItems; ++x)
            shared_counters()[x].store(0);
        start(2, kTasksEach);
    }
    void finish() {
        engine->begin_shutdown(Shutdown::finish);
        ASSERT_EQ(engine->wait_stopped(monotonic_ns() + 60'000'000'000), WaitEnd::done);
        disarm();
        engine.reset();
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
            default: ADD_FAILURE() << "task " << x << " ended as " << static_cast<int>(ending);
        }
    }

    // Results beside the ring, and more than the ring holds.
    std::vector<Task*> submit_wide() {
        std::vector<Task*> tasks{submit(kLarge)};
        for (int i = 0; i < 15; ++i)
            tasks.push_back(submit(kMedium));
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
            tasks.push_back(engine->submit(function, input, why));
            if (tasks.back() == nullptr) {
                ADD_FAILURE() << "the pool took no more: " << why.what;
                return lost;
            }
        }
        for (std::size_t at = 10; at < kTasks; at += 10)
            engine->cancel(tasks[at]);
        const std::vector<Task*> wide = submit_wide();
        Job* job = map(kFirst + kTasks, kItems);
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
                EXPECT_EQ(result.ending, Ending::worker_died);
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

    // The pool is as it was: it takes work, and has all its workers again.
    void expect_whole() {
        disarm();
        EXPECT_EQ(call(4), 8);
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
    bool run_struck(std::uint64_t site, std::uint32_t hit, Strike strike) {
        board()->hit.store(hit);
        board()->strike.store(static_cast<std::uint32_t>(strike));
        board()->armed.store(site);
        begin();
        const Lost lost = work();
        const std::uint32_t struck = board()->struck.load();
        EXPECT_LE(lost.count, struck) << "an innocent task was lost";
        if (strike == Strike::stop) {
            EXPECT_EQ(lost.count, 0U) << "a stopped worker has lost something";
        }
        expect_whole();
        finish();
        return board()->struck.load() != 0;
    }

    // All places that the role passes in some runs without a strike.
    std::vector<const Site*> sites_of(Role who) {
        for (int i = 0; i < 3; ++i) {
            begin();
            EXPECT_EQ(work().count, 0U);
            expect_whole();
            finish();
        }
        std::vector<const Site*> sites;
        for (const Site& site : board()->sites) {
            if (site.id.load() != 0 && site.role.load() == static_cast<std::uint32_t>(who)) sites.push_back(&site);
        }
        return sites;
    }

    void walk(Role who, Strike strike, std::size_t fewest) {
        const std::vector<const Site*> sites = sites_of(who);
        ASSERT_GE(sites.size(), fewest) << "places were not found";
        std::size_t runs = 0;
        std::size_t struck = 0;
        for (const Site* site : sites) {
            for (const std::uint32_t hit : {1U, 2U, 5U, 15U, 40U, 120U}) {
                SCOPED_TRACE(std::string(name_of(strike)) + " at " + site->file + ":" +
                             std::to_string(site->line.load()) + ", " + name_of(who) + ", time " + std::to_string(hit));
                ++runs;
                struck += run_struck(site->id.load(), hit, strike) ? 1U : 0U;
                if (HasFailure()) return;
            }
        }
        std::printf("%zu places, %zu runs, %zu strikes\n", sites.size(), runs, struck);
        EXPECT_GE(struck, sites.size());
    }
};

class EveryPlace : public FaultPoints, public ::testing::WithParamInterface<Strike> {};

TEST_P(EveryPlace, InAWorker) {
    std::optional<Continuer> continuer;
    if (GetParam() == Strike::stop) continuer.emplace();
    walk(Role::worker, GetParam(), 25);
}

// The parent is at its books when a worker is struck.
TEST_P(EveryPlace, InTheParent) {
    std::optional<Continuer> continuer;
    if (GetParam() == Strike::stop) continuer.emplace();
    walk(Role::parent, GetParam(), 25);
}

INSTANTIATE_TEST_SUITE_P(All, EveryPlace, ::testing::Values(Strike::kill, Strike::stop, Strike::segv, Strike::exit0),
                         [](const auto& each) { return name_of(each.param); });

// What tests/python/test_release.py looks for in a release, and must not find.
TEST_F(FaultPoints, AreInThisBuild) {
    std::ifstream file("/proc/self/exe", std::ios::binary);
    const std::string program((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    for (const char* name : {"claim_loop.cpp", "publisher.cpp", "dispatch.cpp", "worker.hpp"})
        EXPECT_NE(program.find(name), std::string::npos) << name;
}

// Nobody dies with the template, whenever that is.
TEST_F(FaultPoints, TheTemplateIsKilledAtEveryPlace) {
    for (const Site* site : sites_of(Role::zygote)) {
        for (const std::uint32_t hit : {1U, 2U, 3U, 4U}) {
            SCOPED_TRACE(std::string(site->file) + ":" + std::to_string(site->line.load()));
            board()->hit.store(hit);
            board()->strike.store(static_cast<std::uint32_t>(Strike::kill));
            board()->armed.store(site->id.load());
            begin();
            EXPECT_EQ(work().count, 0U);
            expect_whole();
            finish();
            ASSERT_FALSE(HasFailure());
        }
    }
}

TEST_F(FaultPoints, AtRandomUnderLoad) {
    const char* given = std::getenv("HARDWORK_SEED");
    const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
    std::printf("HARDWORK_SEED=%llu\n", static_cast<unsigned long long>(seed));
    const Continuer continuer;
    board()->random.store(seed * 0x2545f4914f6cdd1dU);
    for (int round = 0; round < 60 && !HasFailure(); ++round) {
        board()->strikes_left.store(1 + round % 6);
        board()->one_in.store(300 + 100 * (static_cast<std::uint32_t>(round) % 20));
        begin();
        const Lost lost = work();
        EXPECT_LE(lost.count, board()->struck.load());
        expect_whole();
        finish();
    }
}

#else

TEST(FaultPoints, AreNotInThisBuild) {
    GTEST_SKIP() << "built without HARDWORK_FAULT_POINTS (the preset dev has them), or with ThreadSanitizer";
}

#endif

}  // namespace hardwork::test
