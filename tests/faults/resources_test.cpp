// R1 to R4, W17: what the system refuses. Where root is needed, in a copy of this program.
#include <grp.h>
#include <sched.h>
#include <sys/mount.h>

#include <cstring>
#include <new>

#include "faults/lab.hpp"

namespace hardwork::test {
namespace {

using R1 = FaultTest;
using R2 = FaultTest;
using R3 = FaultTest;

// A memory control group of our own, while this is there. `why` is not empty where none can be made.
class MemoryGroup {
  public:
    explicit MemoryGroup(std::uint64_t most) {
        namespace fs = std::filesystem;
        const bool first = fs::exists("/sys/fs/cgroup/memory");
        const fs::path root = first ? "/sys/fs/cgroup/memory" : "/sys/fs/cgroup";
        folder_ = root / ("hardwork-" + std::to_string(getpid()));
        std::error_code failed;
        fs::create_directory(folder_, failed);
        const fs::path limit = folder_ / (first ? "memory.limit_in_bytes" : "memory.max");
        if (failed || !fs::exists(limit) || !(std::ofstream(limit) << most).flush()) {
            why = "no memory control group of our own can be made here";
        }
    }
    MemoryGroup(const MemoryGroup&) = delete;
    MemoryGroup& operator=(const MemoryGroup&) = delete;
    // The kernel needs a moment after the last process.
    ~MemoryGroup() {
        const bool gone = eventually([&] { return rmdir(folder_.c_str()) == 0 || errno == ENOENT; });
        EXPECT_TRUE(gone);
    }
    bool enter() const { return (std::ofstream(folder_ / "cgroup.procs") << getpid()).flush().good(); }

    std::string why;

  private:
    std::filesystem::path folder_;
};

// 2 GB, a page at a time.
int take_memory() {
    std::vector<std::vector<char>> taken;
    for (int i = 0; i < 2'000; ++i)
        taken.emplace_back(1'000'000, 'x');
    return static_cast<int>(taken.size());
}
struct TakesDecoded {};
struct TakesEncoded {
    int taken = 0;
};

}  // namespace
}  // namespace hardwork::test

template <>
struct hardwork::Codec<hardwork::test::TakesDecoded> {
    static void encode(auto& out, const hardwork::test::TakesDecoded&) { hardwork::encode(out, 1); }
    static hardwork::test::TakesDecoded decode(Decoder& in) {
        hardwork::decode<int>(in);
        hardwork::test::take_memory();
        return {};
    }
};

template <>
struct hardwork::Codec<hardwork::test::TakesEncoded> {
    static void encode(auto& out, const hardwork::test::TakesEncoded&) {
        hardwork::encode(out, hardwork::test::take_memory());
    }
    static hardwork::test::TakesEncoded decode(Decoder& in) { return {hardwork::decode<int>(in)}; }
};

namespace hardwork::test {
namespace {

int take_decoded(const TakesDecoded&) { return 1; }
TakesEncoded give_encoded() { return {}; }

class W17 : public FaultTest {
  protected:
    // What such a program ends with: 0 if a worker died for want of memory in that phase, and the pool went on.
    static int lose_worker(const MemoryGroup& group, Phase phase) {
        if (!group.enter()) return 1;
        ProcessPool pool({.workers = 2});
        try {
            if (phase == Phase::decode) pool.submit(take_decoded, TakesDecoded{}).get();
            if (phase == Phase::run) pool.submit(take_memory).get();
            if (phase == Phase::encode) pool.submit(give_encoded).get();
            return 2;
        } catch (const WorkerDied& error) {
            if (error.signal() != SIGKILL || error.phase() != phase || !error.death().out_of_memory) return 3;
            if (std::strstr(error.what(), "out-of-memory") == nullptr) return 4;
        }
        return pool.submit(twice, 21).get() == 42 ? 0 : 5;
    }
};

// A worker dies, never the parent; the error names the out-of-memory killer.
TEST_F(W17, KilledForWantOfMemory) {
    if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer's own memory is more";
    for (const Phase phase : {Phase::decode, Phase::run, Phase::encode}) {
        const MemoryGroup group(200'000'000);
        if (!group.why.empty()) GTEST_SKIP() << group.why;
        EXPECT_EQ(end_of(child_with([&] { return lose_worker(group, phase); })), 0) << phase_name(phase);
    }
}

// Fewer workers for the time, and all of them when there are descriptors again.
TEST_F(R1, NoDescriptorForAReplacement) {
    make();
    const auto pids = warm();
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = 3;
    setrlimit(RLIMIT_NOFILE, &none);
    kill(pids[0], SIGKILL);
    for (int i = 0; i < 50; ++i)
        EXPECT_EQ(pool().submit(twice, i).get(), 2 * i);
    setrlimit(RLIMIT_NOFILE, &before);
    innocents(20);
}

// SystemError or BrokenPool that says so; a pool made later works.
TEST_F(R1, NoDescriptorAtTheFirstUse) {
    rlimit before{};
    getrlimit(RLIMIT_NOFILE, &before);
    rlimit none = before;
    none.rlim_cur = open_descriptors() - 1;  // the listing had one of its own
    setrlimit(RLIMIT_NOFILE, &none);
    try {
        ProcessPool some({.workers = 2});
        some.submit(twice, 1).get();
        ADD_FAILURE() << "it had descriptors";
    } catch (const std::exception& error) {
        EXPECT_NE(std::string(error.what()), "");
    }
    setrlimit(RLIMIT_NOFILE, &before);
    make();
    innocents(10);
}

// Of a process that is not root's, which no limit holds for.
bool become_nobody() {
    constexpr uid_t kNobody = 54'321;
    return setgroups(0, nullptr) == 0 && setgid(kNobody) == 0 && setuid(kNobody) == 0;
}
void limit_processes(rlim_t most) {
    rlimit limit{most, 1'000};
    setrlimit(RLIMIT_NPROC, &limit);
}

// An error at the first use; later fewer workers, and all of them when the limit is lifted.
TEST_F(R2, NoProcess) {
    if (getuid() != 0) GTEST_SKIP() << "needs root, to be somebody whose processes are counted";
    EXPECT_EQ(end_of(child_with([] {
                  if (!become_nobody()) return 1;
                  limit_processes(1);
                  const auto refused = ProcessPool::try_make({.workers = 2});
                  if (refused) return 2;
                  const FailureKind kind = refused.error().kind();
                  if (kind != FailureKind::system && kind != FailureKind::broken_pool) return 3;
                  limit_processes(1'000);
                  ProcessPool pool({.workers = 2});
                  if (pool.submit(twice, 1).get() != 2) return 4;
                  limit_processes(1);
                  if (pool.submit(die_by, SIGKILL).try_get()) return 5;
                  for (int i = 0; i < 50; ++i) {
                      if (pool.submit(twice, i).get() != 2 * i) return 6;
                  }
                  limit_processes(1'000);
                  return eventually([&] { return pool.pids().size() == 2; }) ? 0 : 7;
              })),
              0);
}

std::string echo(const std::string& text) { return text; }

// It works: nothing of it lies in a folder.
TEST_F(R3, NoSharedMemoryFolder) {
    if (getuid() != 0) GTEST_SKIP() << "needs root: a mount namespace of its own";
    for (const unsigned long flags : {0UL, static_cast<unsigned long>(MS_RDONLY)}) {
        const int code = end_of(child_with([&] {
            if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return 77;
            if (mount("none", "/dev/shm", "tmpfs", flags, "size=1m") != 0) return 77;
            ProcessPool pool({.workers = 2});
            const std::string data(5'000'000, 'x');
            if (pool.submit(echo, data).get() != data) return 1;
            if (pool.submit(die_by, SIGKILL).try_get()) return 2;
            return pool.submit(twice, 21).get() == 42 ? 0 : 3;
        }));
        if (code == 77) GTEST_SKIP() << "no mount namespace of our own can be made here";
        EXPECT_EQ(code, 0);
    }
}

class R4 : public FaultTest {
  protected:
    static int use_all_memory(const MemoryGroup& group, bool arguments) {
        if (!group.enter()) return 1;
        ProcessPool pool({.workers = 2});
        if (pool.submit(twice, 21).get() != 42) return 2;
        for (int i = 0; i < 4; ++i) {
            try {
                if (arguments)
                    pool.submit([](const std::string& text) { return text.size(); }, std::string(30'000'000, 'x'))
                        .get();
                if (!arguments) pool.submit([] { return std::string(60'000'000, 'x'); }).get();
            } catch (const std::bad_alloc&) {
            } catch (const WorkerDied&) {
            }
        }
        return pool.submit(twice, 21).get() == 42 ? 0 : 3;
    }
};

// An error or a dead worker, never a SIGBUS in the parent; afterwards it goes on.
TEST_F(R4, MemoryGroupNearlyFull) {
    if (kAddressSanitizer || kThreadSanitizer) GTEST_SKIP() << "a sanitizer's own memory is more";
    for (const bool arguments : {true, false}) {
        const MemoryGroup group(150'000'000);
        if (!group.why.empty()) GTEST_SKIP() << group.why;
        EXPECT_EQ(end_of(child_with([&] { return use_all_memory(group, arguments); })), 0);
    }
}

}  // namespace
}  // namespace hardwork::test
