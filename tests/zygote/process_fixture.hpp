// Worker processes without an engine: what a worker does stands as text in its lane's memory.
//   "wait"        until the parent ends          "deaf"        until it is killed
//   "exit N"      with that code                 "descriptors" writes the number of its open descriptors, then waits
//   "interrupt"   writes 'i' if SIGINT is ignored, 'd' otherwise, then waits
// The first thing it does is to add one to the counter at kBirthCounter.
#pragma once

#include <dirent.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "hardwork/births.hpp"
#include "os/clock.hpp"
#include "os/fd.hpp"
#include "os/process.hpp"

namespace hardwork::testing {

inline constexpr std::uint64_t kWatchdogNs = 30'000'000'000;  // against hangs; no test measures time
inline constexpr off_t kBirthCounter = 64;
inline constexpr off_t kAnswer = 128;

inline os::Fd make_lane(const std::string& command) {
    os::Fd lane(memfd_create("test lane", MFD_CLOEXEC));
    EXPECT_EQ(ftruncate(lane.get(), 4096), 0);
    EXPECT_EQ(pwrite(lane.get(), command.data(), command.size(), 0), static_cast<ssize_t>(command.size()));
    return lane;
}

inline char read_at(int lane_fd, off_t where) {
    char value = 0;
    EXPECT_EQ(pread(lane_fd, &value, 1, where), 1);
    return value;
}

inline int count_descriptors() {
    DIR* dir = opendir("/proc/self/fd");
    if (dir == nullptr) return -1;
    int count = -1;  // its own
    while (const dirent* entry = readdir(dir))
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count;
}

inline bool any_child_left() {
    siginfo_t info{};
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0;
}

template <class Condition>
bool eventually(Condition&& condition) {
    const auto deadline = os::now_ns() + kWatchdogNs;
    while (!condition()) {
        if (os::now_ns() > deadline) return false;
        usleep(500);
    }
    return true;
}

inline int live(const WorkerSetup& setup) {
    char count = 0;
    if (pread(setup.lane_fd, &count, 1, kBirthCounter) != 1) return 99;
    ++count;
    if (pwrite(setup.lane_fd, &count, 1, kBirthCounter) != 1) return 99;
    char text[64] = {};
    if (pread(setup.lane_fd, text, sizeof text - 1, 0) <= 0) return 99;
    const std::string command(text);
    if (command.rfind("exit ", 0) == 0) return std::atoi(text + 5);
    if (command == "descriptors") {
        const char answer = static_cast<char>(count_descriptors());
        if (pwrite(setup.lane_fd, &answer, 1, kAnswer) != 1) return 99;
    }
    if (command == "interrupt") {
        struct sigaction action {};
        sigaction(SIGINT, nullptr, &action);
        const char answer = action.sa_handler == SIG_IGN ? 'i' : 'd';
        if (pwrite(setup.lane_fd, &answer, 1, kAnswer) != 1) return 99;
    }
    if (command == "deaf") {
        for (;;)
            pause();
    }
    pollfd parent{setup.parent_fd, POLLIN, 0};
    while (poll(&parent, 1, -1) < 0 && errno == EINTR) {
    }
    return 0;
}

class PlainHooks : public TemplateHooks {
  public:
    std::int32_t fork_worker() override { return fork(); }
    int worker_main(const WorkerSetup& setup) override { return live(setup); }
};

}  // namespace hardwork::testing
