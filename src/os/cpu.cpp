#include "os/cpu.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdlib>
#include <string>

#include "os/cgroup.hpp"

namespace hardwork::os {

namespace {

int rounded_up(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return 0;
    const long long cpus = quota / period + (quota % period != 0 ? 1 : 0);
    return static_cast<int>(std::min<long long>(cpus, INT_MAX));
}

int smaller(int limit, int other) {
    if (other == 0) return limit;
    return limit == 0 ? other : std::min(limit, other);
}

// The limit of one cgroup directory; 0 if it has none.
int limit_of(const std::string& directory, bool version2) {
    if (version2) {
        const std::string text = read_file(directory + "/cpu.max");  // "max 100000" or "150000 100000"
        if (text.empty() || text.compare(0, 3, "max") == 0) return 0;
        char* rest = nullptr;
        const long long quota = std::strtoll(text.c_str(), &rest, 10);
        return rounded_up(quota, std::strtoll(rest, nullptr, 10));
    }
    const std::string quota = read_file(directory + "/cpu.cfs_quota_us");  // -1: none
    if (quota.empty()) return 0;
    return rounded_up(std::strtoll(quota.c_str(), nullptr, 10),
                      std::strtoll(read_file(directory + "/cpu.cfs_period_us").c_str(), nullptr, 10));
}

// A group's own limit and that of every group above it: the tightest counts.
int limit_along(const std::string& root, std::string path, bool version2) {
    int limit = 0;
    for (;;) {
        limit = smaller(limit, limit_of(root + path, version2));
        const std::size_t slash = path.rfind('/');
        if (slash == std::string::npos || path.empty()) return limit;
        path.resize(slash);
    }
}

}  // namespace

int current_cpu() { return sched_getcpu(); }

int cgroup_cpu_limit(const std::string& proc_root, const std::string& cgroup_root) {
    int limit = 0;
    for (const CgroupMembership& group : cgroup_memberships(proc_root)) {
        if (group.controllers.empty()) {
            limit = smaller(limit, limit_along(cgroup_root, group.path, true));
            limit = smaller(limit, limit_along(cgroup_root + "/unified", group.path, true));
        } else if (group.has("cpu")) {
            limit = smaller(limit, limit_along(cgroup_root + "/" + group.controllers, group.path, false));
            limit = smaller(limit, limit_along(cgroup_root + "/cpu", group.path, false));
        }
    }
    return limit;
}

int usable_cpus() {
    // The mask is as long as the kernel's, which may be longer than cpu_set_t.
    int count = 0;
    for (std::size_t cpus = 1024; cpus <= std::size_t{1} << 20; cpus *= 2) {
        cpu_set_t* set = CPU_ALLOC(cpus);
        if (set == nullptr) break;
        const std::size_t size = CPU_ALLOC_SIZE(cpus);
        CPU_ZERO_S(size, set);
        const bool ok = sched_getaffinity(0, size, set) == 0;
        if (ok) count = CPU_COUNT_S(size, set);
        CPU_FREE(set);
        if (ok) break;
    }
    if (count <= 0) count = static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
    const int limit = cgroup_cpu_limit("/proc", "/sys/fs/cgroup");
    return std::max(1, smaller(count, limit));
}

}  // namespace hardwork::os
