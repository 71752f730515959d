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

// Somebody else's descriptor, and what it stood for at first.
class KnownFile {
  public:
    KnownFile() = default;
    explicit KnownFile(int fd) : fd_(fd), identity_(identity_of(fd)) {}
    int fd() const { return fd_; }
    bool unchanged() const { return identity_of(fd_) == identity_; }

  private:
    int fd_ = -1;
    FileIdentity identity_;
};

}  // namespace hardwork::os
