// The control groups this process is in (cgroups(7)), as /proc/self/cgroup has them.
#pragma once

#include <string>
#include <vector>

namespace hardwork::os {

struct CgroupMembership {
    std::string controllers;  // "cpu,cpuacct"; empty: version 2
    std::string path;         // below the mount; "" for the root, else it begins with a slash
    bool has(const std::string& controller) const;
};

std::vector<CgroupMembership> cgroup_memberships(const std::string& proc_root);

// All of a small file; empty if it cannot be read.
std::string read_file(const std::string& path);

}  // namespace hardwork::os
