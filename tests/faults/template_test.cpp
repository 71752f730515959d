// W24: the processes that workers are born from are lost. The template forks them; the seed forks the template.
#include <atomic>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using namespace std::chrono_literals;

// The processes of the pool that was made last.
struct Origins {
    int seed = 0;
    int workers_template = 0;

    // before: the children of this process when the pool was not there yet.
    static Origins since(const std::vector<int>& before) {
        Origins found;
        for (const int pid : child_pids(getpid())) {
            if (std::find(before.begin(), before.end(), pid) == before.end()) found.seed = pid;
        }
        const auto templates = child_pids(found.seed);
        if (templates.size() == 1) found.workers_template = templates.front();
        return found;
    }
};

int nap_where(int milliseconds) {
    nap(milliseconds);
    return worker_pid();
}

class W24 : public FaultTest {
  protected:
    Origins make_and_find() {
        const auto before = child_pids(getpid());
        make();
        warm();
        const Origins origins = Origins::since(before);
        EXPECT_GT(origins.seed, 0);
        EXPECT_GT(origins.workers_template, 0);
        return origins;
    }
    // One that has just been born dies with its template; one that has worked does not.
    void let_both_work() {
        EXPECT_TRUE(eventually([&] {
            auto one = pool().submit(nap_where, 5);
            auto other = pool().submit(nap_where, 5);
            return one.get() != other.get();
        }));
    }
    // Nobody notices, and all workers are there in the end: see FaultTest::TearDown.
    void lose(int pid, int number) {
        innocents(10);
        kill(pid, number);
        innocents(10);
        // By which signal it died is known only where its template has reaped it.
        EXPECT_THROW(pool().submit(die_by, SIGKILL).get(), WorkerDied);
        innocents(10);
        EXPECT_THROW(pool().submit(die_by, SIGKILL).get(), WorkerDied);
    }
};

// No future fails, no worker dies with it, and another takes its place: all workers are there in the end.
TEST_F(W24, TemplateKilled) { lose(make_and_find().workers_template, SIGKILL); }

// The same, after some seconds in which no worker is born.
TEST_F(W24, TemplateStopped) { lose(make_and_find().workers_template, SIGSTOP); }

// The same, again and again.
TEST_F(W24, TemplateKilledManyTimes) {
    const Origins origins = make_and_find();
    for (int i = 0; i < 10; ++i) {
        EXPECT_TRUE(eventually([&] { return child_pids(origins.seed).size() == 1; }));
        lose(child_pids(origins.seed).front(), SIGKILL);
    }
}

// Of the process that templates are forked from: nobody notices.
TEST_F(W24, SeedKilled) { lose(make_and_find().seed, SIGKILL); }

// The same, and the pool ends.
TEST_F(W24, SeedStopped) { lose(make_and_find().seed, SIGSTOP); }

// Both: the pool goes on with the workers that it has, and is broken when there are none, with an error that says why.
TEST_F(W24, TemplateAndSeedKilled) {
    const Origins origins = make_and_find();
    let_both_work();
    kill(origins.seed, SIGKILL);
    kill(origins.workers_template, SIGKILL);
    EXPECT_THROW(pool().submit(die_by, SIGKILL).get(), WorkerDied);
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(pool().submit(twice, i).get(), 2 * i);
    for (const int pid : pool().pids())
        kill(pid, SIGKILL);
    broken_ = true;
    std::string what;
    EXPECT_TRUE(eventually([&] {
        try {
            pool().submit(twice, 1).get();
        } catch (const BrokenPool& error) {
            what = error.what();
        } catch (const WorkerDied&) {
        }
        return !what.empty();
    }));
    EXPECT_NE(what.find("template process was killed"), std::string::npos) << what;
}

// A program that has prepared, and has threads since.
class PreparedProgram {
  public:
    PreparedProgram() {
        Template::prepare();
        seed = child_pids(getpid()).front();
        thread_ = std::thread([this] { stop_.wait(false); });
    }
    ~PreparedProgram() { join(); }
    void join() {
        stop_ = true;
        stop_.notify_all();
        if (thread_.joinable()) thread_.join();
    }
    int seed = 0;

  private:
    std::atomic<bool> stop_{false};
    std::thread thread_;
};

// Loses a worker, and then has all of them again.
int lose_and_restore(ProcessPool& pool) {
    if (pool.submit(die_by, SIGKILL).try_get().error().kind() != FailureKind::worker_died) return 10;
    if (pool.submit(twice, 21).get() != 42) return 11;
    return eventually([&] { return pool.pids().size() == 2; }) ? 0 : 12;
}

// As in a program that has not prepared.
TEST_F(W24, TemplateOfAPreparedProgram) {
    for (const int number : {SIGKILL, SIGSTOP}) {
        EXPECT_EQ(end_of(child_with([&] {
                      const PreparedProgram program;
                      ProcessPool pool({.workers = 2});
                      pool.submit(twice, 1).get();
                      kill(child_pids(program.seed).at(0), number);
                      return lose_and_restore(pool);
                  })),
                  0);
    }
}

// Pools that are there go on; a new one is BrokenPool, which says so, until Template::prepare() is called again, while
// there are no other threads.
TEST_F(W24, SeedOfAPreparedProgram) {
    EXPECT_EQ(end_of(child_with([] {
                  PreparedProgram program;
                  {
                      ProcessPool pool({.workers = 2});
                      pool.submit(twice, 1).get();
                      kill(program.seed, SIGKILL);
                      if (const int wrong = lose_and_restore(pool); wrong != 0) return wrong;
                      const auto refused = ProcessPool::try_make({.workers = 2});
                      if (refused || refused.error().kind() != FailureKind::broken_pool) return 1;
                      if (refused.error().what().find("Template::prepare()") == std::string::npos) return 2;
                      try {
                          Template::prepare();
                          return 3;
                      } catch (const MultithreadedProgram&) {
                      }
                  }
                  program.join();
                  Template::prepare();
                  ProcessPool pool({.workers = 2});
                  return lose_and_restore(pool);
              })),
              0);
}

}  // namespace
}  // namespace hardwork::test
