// What the fault tests stand on: a pool, innocents beside what goes wrong, and one checker of what must hold after it.
//
// I1 every future is done; I2 once, and right; I3 innocents are executed exactly once; I4 the next call works, and the
// workers are as many as before; I5 nothing is left; I6 the error says who, how, which and where; I7 stats() counted it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <new>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "face/face_fixture.hpp"

namespace hardwork::test {

#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif

// Set: this program, started again as a worker, ends before it is one.
inline constexpr const char* kCannotStart = "HARDWORK_TEST_CANNOT_START";

// Generous: only what hangs waits so long, and ctest's watchdog ends it then.
template <class F>
bool eventually(F condition) {
    for (int i = 0; i < 60'000; ++i) {
        if (condition()) return true;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return false;
}

// Leaves a line for each execution. One write to a file opened for appending: lines of several processes do not mix.
inline int note(const std::string& path, int number) {
    const std::string line = std::to_string(number) + "\n";
    const int file = open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT, 0600);
    if (file < 0 || write(file, line.data(), line.size()) != static_cast<ssize_t>(line.size())) return -1;
    close(file);
    return number;
}

inline std::vector<int> notes(const std::string& path) {
    std::ifstream file(path);
    return {std::istream_iterator<int>(file), {}};
}

// A child of the test that runs `body`. Its exit code, or 128 + signal, by end_of.
inline pid_t child_with(const std::function<int()>& body) {
    const pid_t child = fork();
    if (child == 0) {
        alarm(100);  // nothing remains of a test that was killed
        _exit(body());
    }
    return child;
}
inline int end_of(pid_t child) {
    int status = 0;
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) return -1;
    }
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
inline bool is_gone(int pid) {
    std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
    std::string text;  // nothing if it goes just now: reading without format would throw
    std::getline(file, text);
    const auto at = text.rfind(')');
    return at == std::string::npos || text[at + 2] == 'Z' || text[at + 2] == 'X';
}

// An argument that dies as it is decoded, a result that dies as it is encoded: by a signal, or, negative, with -1 - number
// as exit code.
struct DiesDecoded {
    int number = SIGKILL;
};
struct DiesEncoded {
    int number = SIGKILL;
};
inline int end_by(int number) { return number < 0 ? leave_with(-1 - number) : die_by(number); }

// Counted by all processes that are forked from this one.
class SharedNumber {
  public:
    SharedNumber()
        : number_(new (mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                            0)) std::atomic<int>(0)) {}
    SharedNumber(const SharedNumber&) = delete;
    SharedNumber& operator=(const SharedNumber&) = delete;
    ~SharedNumber() { munmap(number_, sizeof *number_); }
    std::atomic<int>* get() const { return number_; }

  private:
    std::atomic<int>* number_;
};

struct Holdings {
    std::vector<int> children;
    std::size_t descriptors = 0;
    std::size_t threads = 0;  // of the library: sanitizers start some of their own, when they like

    static Holdings now() {
        Holdings holdings{child_pids(getpid()), open_descriptors(), 0};
        for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
            std::string name;
            std::getline(std::ifstream(task.path() / "comm"), name);
            if (name.starts_with("hardwork-")) ++holdings.threads;
        }
        return holdings;
    }
    bool within(const Holdings& before) const {
        return children.size() <= before.children.size() && descriptors <= before.descriptors &&
               threads <= before.threads;
    }
};

class FaultTest : public ::testing::Test {
  protected:
    FaultTest() : path_(::testing::TempDir() + "fault-" + std::to_string(getpid()) + "-" + std::to_string(++made_)) {}

    ProcessPool& make(Options options = {.workers = 2}) {
        workers_ = static_cast<std::size_t>(options.workers.value_or(1));
        return pool_.emplace(std::move(options));
    }
    ProcessPool& pool() { return *pool_; }

    // Calls that must be executed exactly once each, whatever happens to others.
    void innocents(int count) {
        for (int i = 0; i < count; ++i)
            innocents_.push_back(pool_->submit(note, path_, static_cast<int>(innocents_.size())));
    }

    template <class T>
    void expect_death(Future<T> future, ExitStatus::Kind kind, int value, Phase phase) {
        const auto error = caught<WorkerDied>([&] { future.get(); });
        EXPECT_GT(error.pid(), 0);
        EXPECT_NE(error.pid(), getpid());
        EXPECT_EQ(error.death().status.kind, kind);
        EXPECT_EQ(error.death().status.value, value);
        EXPECT_EQ(error.phase(), phase);
        EXPECT_TRUE(error.task() != 0 && tasks_.insert(error.task()).second) << "of which task is it?";
        const std::string what = error.what();
        EXPECT_NE(what.find(std::to_string(error.pid())), std::string::npos) << what;
        ++deaths_;
    }
    template <class T>
    void expect_killed(Future<T> future, int number, Phase phase = Phase::run) {
        expect_death(std::move(future), ExitStatus::Kind::signaled, number, phase);
    }

    // All workers are there, and have nothing to do.
    std::vector<std::int32_t> warm() {
        for (auto& future : innocents_)
            future.wait();
        EXPECT_TRUE(eventually([&] { return pool_->pids().size() == workers_; }));
        EXPECT_EQ(pool_->submit(twice, 1).get(), 2);
        return pool_->pids();
    }

    void TearDown() override {
        if (!pool_) return;
        if (!broken_) verify();
        pool_.reset();
        innocents_.clear();
        EXPECT_TRUE(eventually([&] { return Holdings::now().within(before_); })) << "something is left";
        std::filesystem::remove(path_);
    }

    bool broken_ = false;  // set where the fault is meant to break the pool, or the test ends it
    std::string path_;
    std::size_t workers_ = 0;  // how many there are to be in the end

  private:
    void verify() {
        for (std::size_t i = 0; i < innocents_.size(); ++i)
            EXPECT_EQ(innocents_[i].get(), static_cast<int>(i));
        std::map<int, int> runs;
        for (const int number : notes(path_))
            ++runs[number];
        EXPECT_EQ(runs.size(), innocents_.size());
        for (const auto& [number, times] : runs)
            EXPECT_EQ(times, 1) << number;
        EXPECT_EQ(pool_->submit(twice, 21).get(), 42);
        EXPECT_TRUE(eventually([&] { return pool_->pids().size() == workers_; }));
        EXPECT_TRUE(eventually([&] {
            const PoolStats stats = pool_->stats();
            return stats.submitted == stats.done + stats.failed + stats.cancelled;
        }));
        const PoolStats stats = pool_->stats();
        EXPECT_GE(stats.done, innocents_.size());
        EXPECT_GE(stats.failed, deaths_);
        std::uint64_t died = 0;
        for (const Deaths& deaths : stats.workers_died)
            died += deaths.count;
        EXPECT_GE(died, deaths_);
        EXPECT_GE(stats.workers_born, stats.workers_alive + died);
    }

    static inline int made_ = 0;
    const Holdings before_ = Holdings::now();
    std::optional<ProcessPool> pool_;
    std::uint64_t deaths_ = 0;
    std::set<std::uint64_t> tasks_;  // that have died
    std::vector<Future<int>> innocents_;
};

}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::DiesDecoded> {
    static void encode(auto& out, const hardwork::test::DiesDecoded& value) { hardwork::encode(out, value.number); }
    static hardwork::test::DiesDecoded decode(Decoder& in) {
        return {hardwork::test::end_by(hardwork::decode<int>(in))};
    }
};

template <>
struct hardwork::Codec<hardwork::test::DiesEncoded> {
    static void encode(auto& out, const hardwork::test::DiesEncoded& value) {
        hardwork::encode(out, hardwork::test::end_by(value.number));
    }
    static hardwork::test::DiesEncoded decode(Decoder& in) { return {hardwork::decode<int>(in)}; }
};
