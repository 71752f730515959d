// W19 to W23: workers that cannot start, die in crowds, or retire.
#include <cstdlib>
#include <random>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

class W20 : public FaultTest {
  protected:
    // What the pool says when it has broken.
    std::string cause_of_the_end() {
        std::string cause;
        EXPECT_TRUE(eventually([&] {
            try {
                pool().submit(twice, 1).get();
            } catch (const BrokenPool& error) {
                cause = error.cause_message();
            }
            return !cause.empty();
        }));
        return cause;
    }
};

using W19 = FaultTest;
using W21 = FaultTest;
using W22 = FaultTest;
using W23 = FaultTest;

HARDWORK_TASK(twice);

// With Start::exec: a prompt BrokenPool, and no endless births.
TEST_F(W19, TheProgramCannotBeAWorker) {
    broken_ = true;
    setenv(kCannotStart, "1", 1);
    make({.workers = 2, .start = Start::exec});
    EXPECT_THROW(pool().submit(twice, 1).get(), BrokenPool);
    unsetenv(kCannotStart);
    EXPECT_LE(pool().stats().workers_born, 20U);
}

// A broken pool, with what the initializer threw; no task runs uninitialised.
TEST_F(W20, InitializerThrows) {
    broken_ = true;
    make({.workers = 2, .initializer = [] { throw std::runtime_error("the initializer says so"); }});
    try {
        pool().submit(note, path_, 1).get();
        FAIL() << "it ran";
    } catch (const BrokenPool& error) {
        EXPECT_NE(std::string(error.what()).find("the initializer says so"), std::string::npos) << error.what();
    }
    EXPECT_TRUE(notes(path_).empty());
}

// A broken pool instead of endless births, which says how the last worker ended.
TEST_F(W20, InitializerExits) {
    broken_ = true;
    make({.workers = 2, .initializer = [] { _exit(5); }});
    const auto error = caught<BrokenPool>([&] { pool().submit(note, path_, 1).get(); });
    ASSERT_NE(error.death(), nullptr);
    EXPECT_EQ(error.death()->status.kind, ExitStatus::Kind::exited);
    EXPECT_EQ(error.death()->status.value, 5);
    EXPECT_EQ(error.death()->phase, Phase::init);
    EXPECT_NE(std::string(error.what()).find("exited with code 5 (INIT)"), std::string::npos) << error.what();
    EXPECT_TRUE(notes(path_).empty());
}

// The same.
TEST_F(W20, InitializerCrashes) {
    broken_ = true;
    make({.workers = 2, .initializer = [] { die_by(SIGSEGV); }});
    EXPECT_THROW(pool().submit(note, path_, 1).get(), BrokenPool);
    EXPECT_TRUE(notes(path_).empty());
}

// Nothing runs, and the pool can be ended.
TEST_F(W20, InitializerHangs) {
    broken_ = true;
    make({.workers = 2, .initializer = [] {
              for (;;)
                  pause();
          }});
    auto future = pool().submit(note, path_, 1);
    EXPECT_FALSE(future.wait_for(100ms));
    pool().kill();
    EXPECT_THROW(future.get(), Cancelled);
    EXPECT_TRUE(notes(path_).empty());
}

// Another takes its place, and nothing is lost.
TEST_F(W20, InitializerCrashesInTheThirdWorkerOnly) {
    const SharedNumber births;
    make({.workers = 3, .initializer = [born = births.get()] {
              if (++*born == 3) die_by(SIGSEGV);
          }});
    innocents(100);
    warm();
    EXPECT_TRUE(eventually([&] { return births.get()->load() >= 4; }));
}

// A broken pool, with what was thrown.
TEST_F(W20, InitializerThrowsInTheThirdWorkerOnly) {
    const SharedNumber births;
    broken_ = true;
    make({.workers = 3, .initializer = [born = births.get()] {
              if (++*born == 3) throw std::runtime_error("the third says so");
          }});
    EXPECT_EQ(cause_of_the_end(), "the third says so");
}

// What was done before stands. Then: a broken pool, with what was thrown.
TEST_F(W20, InitializerThrowsInAReplacementOnly) {
    const SharedNumber births;
    make({.workers = 2, .initializer = [born = births.get()] {
              if (++*born > 2) throw std::runtime_error("the replacement says so");
          }});
    const auto pids = warm();
    broken_ = true;
    kill(pids[0], SIGKILL);
    EXPECT_EQ(cause_of_the_end(), "the replacement says so");
}

// Each of them is a WorkerDied, and the pool lives.
TEST_F(W21, EveryTaskKillsItsWorker) {
    make();
    std::vector<Future<int>> futures;
    for (int i = 0; i < 1'000; ++i)
        futures.push_back(pool().submit(die_by, SIGKILL));
    for (auto& future : futures)
        expect_killed(std::move(future), SIGKILL);
}

// A random worker is killed every 1 to 20 ms: nobody else's task is lost, and none runs twice.
TEST_F(W22, Storm) {
    make();
    warm();
    const auto seed = std::random_device{}();
    RecordProperty("seed", std::to_string(seed));
    std::atomic<bool> over{false};
    std::thread killer([&] {
        std::mt19937 dice(seed);
        while (!over.load()) {
            std::this_thread::sleep_for(std::chrono::microseconds(1'000 + dice() % 19'000));
            const auto pids = pool().pids();
            if (!pids.empty()) kill(pids[dice() % pids.size()], SIGKILL);
        }
    });
    constexpr int kCount = kThreadSanitizer || kAddressSanitizer ? 20'000 : 100'000;
    const std::string path = path_ + ".storm";
    std::vector<Future<int>> futures;
    for (int i = 0; i < kCount; ++i)
        futures.push_back(pool().submit(note, path, i));
    std::map<int, bool> lost;
    for (int i = 0; i < kCount; ++i) {
        try {
            EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
        } catch (const WorkerDied&) {
            lost[i] = true;
        }
    }
    over = true;
    killer.join();
    std::vector<int> runs = notes(path);
    std::sort(runs.begin(), runs.end());
    EXPECT_EQ(std::adjacent_find(runs.begin(), runs.end()), runs.end()) << "one ran twice";
    for (int i = 0; i < kCount; ++i)
        EXPECT_TRUE(lost.contains(i) || std::binary_search(runs.begin(), runs.end(), i)) << i;
    EXPECT_LT(lost.size(), kCount / 4U);
    std::filesystem::remove(path);
}

// Nothing hangs and nothing is lost, while tasks wait and as the pool ends.
TEST_F(W23, WorkersRetireWithABacklog) {
    make({.workers = 2, .max_tasks_per_worker = 5});
    innocents(300);
}

// All that was submitted before is done.
TEST_F(W23, WorkersRetireAtTheEndOfThePool) {
    make({.workers = 2, .max_tasks_per_worker = 3});
    broken_ = true;
    std::vector<Future<int>> futures;
    for (int i = 0; i < 200; ++i)
        futures.push_back(pool().submit(note, path_, i));
    pool().shutdown();
    for (int i = 0; i < 200; ++i)
        EXPECT_EQ(futures[static_cast<std::size_t>(i)].get(), i);
    EXPECT_EQ(notes(path_).size(), 200U);
}

}  // namespace
}  // namespace hardwork::test
