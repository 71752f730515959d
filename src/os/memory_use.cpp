#include "os/memory_use.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>
#include <utility>

#include "os/cgroup.hpp"

namespace hardwork::os {

namespace {

// Deaths of one shortage come within moments of each other.
constexpr std::uint64_t kLatelyNs = 1'000'000'000;

// More than any of the files has: /proc/vmstat has some 4,000 bytes.
constexpr std::size_t kMostText = 16'384;

// "oom_kill 3" on a line of its own.
std::optional<std::uint64_t> oom_kills(std::string_view text) {
    constexpr std::string_view name = "oom_kill ";
    for (std::size_t at = 0; (at = text.find(name, at)) != std::string_view::npos; at += name.size()) {
        if (at != 0 && text[at - 1] != '\n') continue;
        std::uint64_t kills = 0;
        std::from_chars(text.data() + at + name.size(), text.data() + text.size(), kills);
        return kills;
    }
    return std::nullopt;
}

// The whole file from its begin, as far as there is room.
std::string_view read_again(int fd, std::string& room) {
    std::size_t size = 0;
    while (size < room.size()) {
        const ssize_t got = pread(fd, room.data() + size, room.size() - size, static_cast<off_t>(size));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        size += static_cast<std::size_t>(got);
    }
    return {room.data(), size};
}

}  // namespace

bool OomCounter::open(const std::string& file) {
    Fd fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!fd) return false;
    const auto kills = oom_kills(read_again(fd.get(), text_));
    if (!kills) return false;
    file_ = std::move(fd);
    seen_ = *kills;
    return true;
}

std::uint64_t OomCounter::kills() { return file_ ? oom_kills(read_again(file_.get(), text_)).value_or(seen_) : seen_; }

OomCounter::OomCounter(const std::string& proc_root, const std::string& cgroup_root) : text_(kMostText, 0) {
    const auto try_file = [this](const std::string& file) {
        if (!file_) open(file);
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
    const std::uint64_t kills = this->kills();
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
    const int fd = ::open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return 0;
    char text[128];
    const ssize_t length = read(fd, text, sizeof text - 1);
    ::close(fd);
    if (length <= 0) return 0;
    text[length] = 0;
    char* rest = nullptr;
    std::strtoull(text, &rest, 10);
    return std::strtoull(rest, nullptr, 10) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace hardwork::os
