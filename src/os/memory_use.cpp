#include "os/memory_use.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <optional>

#include "os/cgroup.hpp"

namespace hardwork::os {

namespace {

// Deaths of one shortage come within moments of each other.
constexpr std::uint64_t kLatelyNs = 1'000'000'000;

// "oom_kill 3" on a line of its own.
std::optional<std::uint64_t> oom_kills(const std::string& file) {
    const std::string text = "\n" + read_file(file);
    const std::string name = "\noom_kill ";
    const std::size_t at = text.find(name);
    if (at == std::string::npos) return std::nullopt;
    return std::strtoull(text.c_str() + at + name.size(), nullptr, 10);
}

}  // namespace

OomCounter::OomCounter(const std::string& proc_root, const std::string& cgroup_root) {
    const auto try_file = [this](const std::string& file) {
        if (!file_.empty()) return;
        if (const auto kills = oom_kills(file)) {
            file_ = file;
            seen_ = *kills;
        }
    };
    for (const CgroupMembership& group : cgroup_memberships(proc_root)) {
        if (group.controllers.empty()) {
            try_file(cgroup_root + group.path + "/memory.events");
            try_file(cgroup_root + "/unified" + group.path + "/memory.events");
        } else if (group.has("memory")) {
            try_file(cgroup_root + "/memory" + group.path + "/memory.oom_control");
            try_file(cgroup_root + "/" + group.controllers + group.path + "/memory.oom_control");
        }
    }
    try_file(proc_root + "/vmstat");
}

bool OomCounter::take(std::uint64_t now_ns) {
    if (file_.empty()) return false;
    const std::uint64_t kills = oom_kills(file_).value_or(seen_);
    if (now_ns - counted_at_ > kLatelyNs) not_taken_ = 0;
    if (kills != seen_) {
        not_taken_ += kills - seen_;
        seen_ = kills;
        counted_at_ = now_ns;
    }
    if (not_taken_ == 0) return false;
    --not_taken_;
    return true;
}

std::uint64_t resident_bytes(std::int32_t pid) {
    char name[32];
    std::snprintf(name, sizeof name, "/proc/%d/statm", static_cast<int>(pid));
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[128];
    const ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    char* rest = nullptr;
    std::strtoull(text, &rest, 10);
    return std::strtoull(rest, nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace hardwork::os
