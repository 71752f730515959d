#include "os/cpu.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <vector>

namespace hardwork::os {

namespace {

std::string read_file(const std::string& path) {
    std::string text;
    std::FILE* file = std::fopen(path.c_str(), "re");
    if (file == nullptr) return text;
    char buffer[4096];
    std::size_t got;
    while ((got = std::fread(buffer, 1, sizeof buffer, file)) > 0)
        text.append(buffer, got);
    std::fclose(file);
    return text;
}

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

bool names_cpu(const std::string& controllers) {
    const std::string padded = "," + controllers + ",";
    return padded.find(",cpu,") != std::string::npos;
}

}  // namespace

int current_cpu() { return sched_getcpu(); }

int cgroup_cpu_limit(const std::string& proc_root, const std::string& cgroup_root) {
    const std::string text = read_file(proc_root + "/self/cgroup");
    int limit = 0;
    for (std::size_t at = 0; at < text.size();) {  // lines "4:cpu,cpuacct:/path" (version 1), "0::/path" (2)
        std::size_t end = text.find('\n', at);
        if (end == std::string::npos) end = text.size();
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1);
        std::string path = line.substr(second + 1);
        if (path == "/") path.clear();
        if (controllers.empty()) {
            limit = smaller(limit, limit_along(cgroup_root, path, true));
            limit = smaller(limit, limit_along(cgroup_root + "/unified", path, true));
        } else if (names_cpu(controllers)) {
            limit = smaller(limit, limit_along(cgroup_root + "/" + controllers, path, false));
            limit = smaller(limit, limit_along(cgroup_root + "/cpu", path, false));
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
