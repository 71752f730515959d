#include "hardwork/worker.hpp"

#include <fcntl.h>

#include <string>

#include "os/fd.hpp"
#include "worker_fixture.hpp"

namespace hardwork {
namespace {

using testing::Do;
using testing::LaneParent;

TEST(RunWorker, WithoutALaneItDoesNotBegin) {
    testing::Board& board = *testing::make_board();
    const pid_t pid = fork();
    if (pid == 0) {
        alarm(60);
        testing::TestRunner runner(board);
        auto foreign = os::create_memory("test", std::uint64_t{1} << 30);
        const int without = run_worker({-1, -1, -1}, runner);
        const int with_another = foreign ? run_worker({foreign.value().get(), -1, -1}, runner) : 0;
        _exit(without == 71 && with_another == 71 ? 0 : 1);
    }
    int status = -1;
    ASSERT_EQ(waitpid(pid, &status, 0), pid);
    EXPECT_EQ(status, 0);
    munmap(&board, 4096);
}

// Where memory runs out the worker goes first.
TEST(RunWorker, TheKernelPrefersItToItsParent) {
    const os::Fd probe(open("/proc/self/oom_score_adj", O_RDONLY | O_CLOEXEC));
    if (!probe) GTEST_SKIP() << "no /proc";
    LaneParent parent;
    parent.start();
    parent.push_task(1, Do::oom_score);
    parent.publish();
    const int score = std::stoi(parent.receive().bytes);
    EXPECT_EQ(score, 1000);
    EXPECT_EQ(parent.stop(), 0);
}

}  // namespace
}  // namespace hardwork
