#include "os/cpu.hpp"

#include <sched.h>

#include "made_up_root.hpp"
#include "os_fixture.hpp"

namespace hardwork::os {
namespace {

class CgroupTree : public testing::MadeUpRoot {
  protected:
    void groups(const std::string& lines) const { write("proc/self/cgroup", lines); }
    using MadeUpRoot::write;
    // group as in /proc/self/cgroup, below the mount.
    void write(const std::string& group, const std::string& file, const std::string& text) const {
        write("cgroup" + group + "/" + file, text);
    }
    void quota_v1(const std::string& group, const std::string& quota, const std::string& period) {
        write(group, "cpu.cfs_quota_us", quota + "\n");
        write(group, "cpu.cfs_period_us", period + "\n");
    }
    int limit() const { return cgroup_cpu_limit(proc(), cgroup()); }
};

TEST_F(CgroupTree, NothingThereIsUnlimited) {
    EXPECT_EQ(limit(), 0);
    groups("");
    EXPECT_EQ(limit(), 0);
    groups("0::/a/b\n");
    EXPECT_EQ(limit(), 0);
    EXPECT_EQ(cgroup_cpu_limit("/nonexistent", "/nonexistent"), 0);
}

TEST_F(CgroupTree, V2OwnGroup) {
    groups("0::/user/job\n");
    write("/user/job", "cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, V2RoundsUpAndIsAtLeastOne) {
    groups("0::/job\n");
    write("/job", "cpu.max", "150000 100000\n");
    EXPECT_EQ(limit(), 2);
    write("/job", "cpu.max", "200001 100000\n");
    EXPECT_EQ(limit(), 3);
    write("/job", "cpu.max", "1000 100000\n");
    EXPECT_EQ(limit(), 1);
    write("/job", "cpu.max", "40000 20000\n");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, V2Max) {
    groups("0::/job\n");
    write("/job", "cpu.max", "max 100000\n");
    EXPECT_EQ(limit(), 0);
}

TEST_F(CgroupTree, V2AnAncestorsLimitCounts) {
    groups("0::/slice/service/job\n");
    write("/slice/service/job", "cpu.max", "max 100000\n");
    write("/slice/service", "cpu.max", "800000 100000\n");
    write("/slice", "cpu.max", "300000 100000\n");
    EXPECT_EQ(limit(), 3);
    write("/slice/service/job", "cpu.max", "100000 100000\n");
    EXPECT_EQ(limit(), 1) << "the tightest of all";
}

TEST_F(CgroupTree, V2AGapInTheChainDoesNotEndIt) {
    groups("0::/slice/service/job\n");
    write("/slice", "cpu.max", "400000 100000\n");  // the cpu controller is not enabled further down
    EXPECT_EQ(limit(), 4);
}

TEST_F(CgroupTree, V2OtherGroupsDoNotCount) {
    groups("0::/mine\n");
    write("/mine", "cpu.max", "600000 100000\n");
    write("/mine/below", "cpu.max", "100000 100000\n");
    write("/other", "cpu.max", "100000 100000\n");
    write("/min", "cpu.max", "100000 100000\n");
    EXPECT_EQ(limit(), 6);
}

// In a container with a cgroup namespace the own group is "/", and the mount's root has the container's limit.
TEST_F(CgroupTree, V2RootOfANamespace) {
    groups("0::/\n");
    write("", "cpu.max", "250000 100000\n");
    EXPECT_EQ(limit(), 3);
}

// Without one, the path is the host's, and what is mounted is the container's part only.
TEST_F(CgroupTree, PathThatIsNotMountedFallsBackToTheMountsRoot) {
    groups("0::/docker/0123456789abcdef\n");
    write("", "cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, V2WithoutNewlineAndWithAColonInThePath) {
    groups("0::/odd:name/x");
    write("/odd:name/x", "cpu.max", "500000 100000");
    EXPECT_EQ(limit(), 5);
}

TEST_F(CgroupTree, V1) {
    groups("11:memory:/job\n4:cpu,cpuacct:/job\n3:cpuset:/job\n1:name=systemd:/init.scope\n");
    quota_v1("/cpu,cpuacct/job", "350000", "100000");
    EXPECT_EQ(limit(), 4);
    quota_v1("/cpu,cpuacct/job", "-1", "100000");
    EXPECT_EQ(limit(), 0);
}

TEST_F(CgroupTree, V1MountedAsCpuAlone) {
    groups("2:cpu,cpuacct:/job\n");
    quota_v1("/cpu/job", "100000", "50000");
    EXPECT_EQ(limit(), 2);
    groups("2:cpu:/job\n");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, V1AnAncestorsLimitCounts) {
    groups("2:cpu,cpuacct:/kubepods/pod1/c1\n");
    quota_v1("/cpu,cpuacct/kubepods/pod1/c1", "-1", "100000");
    quota_v1("/cpu,cpuacct/kubepods/pod1", "150000", "100000");
    quota_v1("/cpu,cpuacct/kubepods", "900000", "100000");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, V1InAContainer) {
    groups("4:cpu,cpuacct:/docker/abc\n");
    quota_v1("/cpu,cpuacct", "300000", "100000");
    EXPECT_EQ(limit(), 3);
}

TEST_F(CgroupTree, V1OtherControllersDoNotCount) {
    groups("4:cpuset:/job\n3:cpuacct:/job\n1:name=cpu:/job\n");
    quota_v1("/cpuset/job", "100000", "100000");
    quota_v1("/cpuacct/job", "100000", "100000");
    quota_v1("/cpu/job", "100000", "100000");
    EXPECT_EQ(limit(), 0);
}

TEST_F(CgroupTree, Hybrid) {
    groups("4:cpu,cpuacct:/job\n0::/job\n");
    quota_v1("/cpu,cpuacct/job", "700000", "100000");
    EXPECT_EQ(limit(), 7);
    write("/unified/job", "cpu.max", "200000 100000\n");
    EXPECT_EQ(limit(), 2);
}

TEST_F(CgroupTree, NonsenseIsUnlimited) {
    groups("0::/job\nno colons here\n:\n::\n7\n");
    for (const char* text : {"", "\n", "rubbish", "100000", "100000 0", "-5 100000", "0 100000", "max"}) {
        write("/job", "cpu.max", text);
        EXPECT_EQ(limit(), 0) << text;
    }
    quota_v1("/cpu/job", "100000", "0");
    groups("2:cpu:/job\n");
    EXPECT_EQ(limit(), 0);
}

TEST_F(CgroupTree, AHugeQuotaIsNotALimitOfNothing) {
    groups("0::/job\n");
    for (const char* text : {"9223372036854775807 1\n", "99999999999999 1000\n", "18446744073709551615 100000\n"}) {
        write("/job", "cpu.max", text);
        EXPECT_GT(limit(), 1'000'000) << text;
    }
}

TEST(Cpu, CurrentIsOneThatThisThreadMayUse) {
    cpu_set_t allowed;
    ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
    const int cpu = current_cpu();
    ASSERT_GE(cpu, 0);
    EXPECT_TRUE(CPU_ISSET(static_cast<std::size_t>(cpu), &allowed));
}

TEST(Cpu, UsableFollowsTheAffinityMask) {
    cpu_set_t before;
    ASSERT_EQ(sched_getaffinity(0, sizeof before, &before), 0);
    const int all = usable_cpus();
    EXPECT_GE(all, 1);
    EXPECT_LE(all, CPU_COUNT(&before));
    for (std::size_t cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
        if (!CPU_ISSET(cpu, &before)) continue;
        cpu_set_t one;
        CPU_ZERO(&one);
        CPU_SET(cpu, &one);
        ASSERT_EQ(sched_setaffinity(0, sizeof one, &one), 0);
        EXPECT_EQ(usable_cpus(), 1);
        EXPECT_EQ(current_cpu(), static_cast<int>(cpu));
    }
    ASSERT_EQ(sched_setaffinity(0, sizeof before, &before), 0);
    EXPECT_EQ(usable_cpus(), all);
}

}  // namespace
}  // namespace hardwork::os
