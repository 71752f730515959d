#include "os/cgroup.hpp"

#include <cstdio>

namespace hardwork::os {

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

bool CgroupMembership::has(const std::string& controller) const {
    return ("," + controllers + ",").find("," + controller + ",") != std::string::npos;
}

std::vector<CgroupMembership> cgroup_memberships(const std::string& proc_root) {
    std::vector<CgroupMembership> groups;
    const std::string text = read_file(proc_root + "/self/cgroup");
    for (std::size_t at = 0; at < text.size();) {  // lines "4:cpu,cpuacct:/path" (version 1), "0::/path" (2)
        std::size_t end = text.find('\n', at);
        if (end == std::string::npos) end = text.size();
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
        if (second == std::string::npos) continue;
        CgroupMembership group{line.substr(first + 1, second - first - 1), line.substr(second + 1)};
        if (group.path == "/") group.path.clear();
        groups.push_back(std::move(group));
    }
    return groups;
}

}  // namespace hardwork::os
