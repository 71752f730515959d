#include "os/memory_use.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include "made_up_root.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;

class Oom : public testing::MadeUpRoot {
  protected:
    OomCounter counter() const { return OomCounter(proc(), cgroup()); }
};

TEST_F(Oom, NoCounterNoKill) {
    OomCounter none = counter();
    EXPECT_FALSE(none.take(1));
    write("proc/self/cgroup", "0::/job\n");
    OomCounter still_none = counter();
    EXPECT_FALSE(still_none.take(1));
}

TEST_F(Oom, Version2) {
    write("proc/self/cgroup", "0::/job\n");
    write("cgroup/job/memory.events", "low 0\nhigh 0\nmax 9\noom 4\noom_kill 4\noom_group_kill 0\n");
    OomCounter oom = counter();
    EXPECT_FALSE(oom.take(kSecond)) << "what was before does not count";
    write("cgroup/job/memory.events", "oom 6\noom_kill 6\n");
    EXPECT_TRUE(oom.take(2 * kSecond));
    EXPECT_TRUE(oom.take(2 * kSecond + 1)) << "two kills, two deaths";
    EXPECT_FALSE(oom.take(2 * kSecond + 2));
}

TEST_F(Oom, Version1) {
    write("proc/self/cgroup", "4:memory:/a/b\n1:cpu:/c\n");
    write("cgroup/memory/a/b/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
    OomCounter oom = counter();
    write("cgroup/memory/a/b/memory.oom_control", "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n");
    EXPECT_TRUE(oom.take(kSecond));
    EXPECT_FALSE(oom.take(kSecond));
}

TEST_F(Oom, TheMachineWhereTheGroupHasNoCounter) {
    write("proc/self/cgroup", "0::/\n");
    write("proc/vmstat", "nr_free_pages 3\noom_kill 7\n");
    OomCounter oom = counter();
    write("proc/vmstat", "nr_free_pages 3\noom_kill 8\n");
    EXPECT_TRUE(oom.take(kSecond));
}

TEST_F(Oom, MovedUntilItIsTaken) {
    EXPECT_FALSE(counter().moved()) << "there is none";
    write("proc/self/cgroup", "0::/job\n");
    write("cgroup/job/memory.events", "oom_kill 9\n");
    OomCounter oom = counter();
    EXPECT_FALSE(oom.moved());
    write("cgroup/job/memory.events", "oom 3\noom_kill 10\n");
    EXPECT_TRUE(oom.moved());
    EXPECT_TRUE(oom.moved());
    EXPECT_TRUE(oom.take(kSecond));
    EXPECT_FALSE(oom.moved());
    write("cgroup/job/memory.events", "oom_kill 11\n");
    oom.close();
    EXPECT_FALSE(oom.moved());
    EXPECT_FALSE(oom.take(2 * kSecond));
}

TEST_F(Oom, AFileThatIsLongerThanAPage) {
    write("proc/self/cgroup", "0::/\n");
    std::string before;
    for (int i = 0; i < 700; ++i)
        before += "no_oom_kill " + std::to_string(i) + "\n";
    write("proc/vmstat", before + "oom_kill 99\n");
    OomCounter oom = counter();
    write("proc/vmstat", before + "oom_kill 100\nlast 1\n");
    EXPECT_TRUE(oom.moved());
    EXPECT_TRUE(oom.take(kSecond));
    EXPECT_FALSE(oom.take(kSecond));
}

TEST_F(Oom, AKillLongAgoIsNotPutDownToADeathNow) {
    write("proc/self/cgroup", "0::/job\n");
    write("cgroup/job/memory.events", "oom_kill 0\n");
    OomCounter oom = counter();
    write("cgroup/job/memory.events", "oom_kill 5\n");
    EXPECT_TRUE(oom.take(kSecond));
    EXPECT_FALSE(oom.take(10 * kSecond));
}

TEST(ResidentBytes, GrowsWithWhatIsTouched) {
    const std::uint64_t before = resident_bytes(getpid());
    ASSERT_GT(before, 0U);
    constexpr std::size_t size = 64 << 20;
    void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    EXPECT_GT(resident_bytes(getpid()), before + size / 2);
    munmap(memory, size);
    EXPECT_EQ(resident_bytes(-5), 0U);
}

}  // namespace
}  // namespace hardwork::os
