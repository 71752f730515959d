// Strikes after which somebody does not go on: a worker that stays stopped, a parent that is killed. Each in a process of
// its own, many at a time, since most of such a run is waiting.
#include <sys/prctl.h>
#include <sys/wait.h>

#include <functional>
#include <map>

#include "fault_walk.hpp"

namespace hardwork::test {

#ifdef HARDWORK_CAN_STRIKE

namespace {
enum class End { good, killed, failed, not_struck };
}  // namespace

class FaultEnds : public FaultPoints {
  protected:
    static constexpr std::size_t kAtATime = 24;

    // What lives on when its parents have ended becomes our child.
    void SetUp() override { prctl(PR_SET_CHILD_SUBREAPER, 1); }
    void TearDown() override { prctl(PR_SET_CHILD_SUBREAPER, 0); }

    // Each place at each hit, in forks; `end` is told what became of each.
    void walk_in_forks(const std::vector<Place>& places, const std::function<End(const Site&, std::uint32_t)>& body,
                       const std::function<bool(End)>& good) {
        std::map<pid_t, std::pair<const Site*, std::uint32_t>> running;
        std::map<const Site*, std::uint32_t> struck;
        const auto reap = [&] {
            int status = 0;
            const pid_t pid = waitpid(-1, &status, 0);
            ASSERT_GT(pid, 0);
            const auto found = running.find(pid);
            if (found == running.end()) return;  // somebody's orphan
            const auto [site, hit] = found->second;
            running.erase(found);
            const End end = WIFSIGNALED(status) ? (WTERMSIG(status) == SIGKILL ? End::killed : End::failed)
                                                : static_cast<End>(WEXITSTATUS(status));
            EXPECT_TRUE(end == End::not_struck || good(end))
                << site->file << ":" << site->line.load() << ", time " << hit << ": status " << status;
            if (end != End::not_struck) ++struck[site];
        };
        const auto begin = [&](const Site* site, std::uint32_t hit) {
            std::fflush(stdout);
            const pid_t pid = fork();
            if (pid == 0) {
                board() = new_board();
                shared_counters() = new_counters();
                const End end = body(*site, hit);
                std::fflush(stdout);
                _exit(static_cast<int>(HasFailure() ? End::failed : end));
            }
            running[pid] = {site, hit};
            if (running.size() == kAtATime) reap();
        };
        // For what is passed in some runs only; and for what was passed in each so far, but depends on who is faster.
        constexpr int kSeldomRounds = 4;
        constexpr int kMostRounds = 100;
        for (int round = 0; round < kMostRounds; ++round) {
            for (const Place& place : places) {
                if (struck[place.site] != 0 || (place.seldom && round >= kSeldomRounds)) continue;
                for (const std::uint32_t hit : {1U, round == 0 ? place.passed : 2U}) {
                    if (HasFailure()) break;  // a fork would have it too
                    begin(place.site, hit);
                }
            }
            while (!running.empty())
                reap();
            if (HasFailure()) break;
        }
        std::size_t number = 0;
        for (const Place& place : places) {
            std::printf("%3zu %s:%u: struck %u times\n", ++number, place.site->file, place.site->line.load(),
                        struck[place.site]);
            EXPECT_TRUE(struck[place.site] != 0 || place.seldom)
                << "never struck: " << place.site->file << ":" << place.site->line.load();
        }
        expect_nothing_left();
    }

    static End struck_or_not() { return board()->struck.load() != 0 ? End::good : End::not_struck; }

    static void expect_nothing_left() {
        for (int i = 0; i < 30'000; ++i) {
            const pid_t pid = waitpid(-1, nullptr, WNOHANG);
            if (pid < 0) return;
            if (pid == 0) usleep(1'000);
        }
        ADD_FAILURE() << "a process lives on";
    }

    void arm(const Site& site, std::uint32_t hit, Strike strike) {
        board()->hit.store(hit);
        board()->strike.store(static_cast<std::uint32_t>(strike));
        board()->armed.store(site.id.load());
    }
};

// With a time limit it is replaced; what it had not begun runs once elsewhere, and no second result ever comes.
TEST_F(FaultEnds, AWorkerIsStoppedForGoodAtEveryPlace) {
    frozen_ = true;
    walk_in_forks(
        places_of(&FaultPoints::plain, Role::worker),
        [this](const Site& site, std::uint32_t hit) {
            arm(site, hit, Strike::stop);
            const Lost lost = plain();
            EXPECT_LE(lost.count, board()->struck.load()) << "an innocent task was lost";
            return struck_or_not();
        },
        [](End end) { return end == End::good; });
}

// Nothing remains of it: no worker, no template.
TEST_F(FaultEnds, TheParentIsKilledAtEveryPlace) {
    walk_in_forks(
        places_of(&FaultPoints::plain, Role::parent),
        [this](const Site& site, std::uint32_t hit) {
            board()->parent_itself.store(true);
            arm(site, hit, Strike::kill);
            plain();
            return struck_or_not();
        },
        [](End end) { return end == End::killed; });
}

// The same as a worker or its template is made, and where its tasks have limits.
TEST_F(FaultEnds, TheParentIsKilledAtEveryPlaceOfStopsAndBirths) {
    for (const Run run : {&FaultPoints::limits, &FaultPoints::without_template}) {
        if (run == &FaultPoints::without_template && !kForksWithThreads) continue;
        walk_in_forks(
            places_beside(run, &FaultPoints::plain, Role::parent),
            [&](const Site& site, std::uint32_t hit) {
                board()->parent_itself.store(true);
                arm(site, hit, Strike::kill);
                (this->*run)();
                return struck_or_not();
            },
            [](End end) { return end == End::killed; });
    }
}

#endif

}  // namespace hardwork::test
