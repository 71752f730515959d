// Which open file a descriptor stands for: how to notice that somebody closed it, or put another in its place.
#pragma once

#include <cstdint>

namespace hardwork::os {

struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;

    bool operator==(const FileIdentity&) const = default;
};

// {} if nothing is open there. Before Linux 6.9 all pidfds are one file to it, and eventfds the same.
FileIdentity identity_of(int fd);

}  // namespace hardwork::os
