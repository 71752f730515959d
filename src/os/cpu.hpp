// Which processors this process may use.
#pragma once

#include <cstdint>
#include <string>

namespace hardwork::os {

// The CPU this thread runs on now (rseq or vdso: a few nanoseconds); -1 if unknown.
int current_cpu();

// CPUs this process may really use: the affinity mask, limited by the cgroup quota (v1 cpu.cfs_quota_us, v2 cpu.max,
// at the process's own cgroup path and each parent of it), rounded up, at least 1.
int usable_cpus();

// The quota part, with the roots of /proc and /sys/fs/cgroup given, for tests: CPUs rounded up, 0 when unlimited.
int cgroup_cpu_limit(const std::string& proc_root, const std::string& cgroup_root);

}  // namespace hardwork::os
