// Waiting for many descriptors of any kind at once, files too: poll(2).
#pragma once

#include <poll.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hardwork::os {

// Filled anew for each wait.
class ReadySet {
  public:
    void clear() { all_.clear(); }
    // What is given back is for is_ready().
    std::size_t add_reader(int fd) { return add(fd, POLLIN); }
    std::size_t add_writer(int fd) { return add(fd, POLLOUT); }
    // Until one of them is ready (at its end, too) or the deadline; restarts by itself after signals.
    void wait(std::uint64_t deadline_ns);
    bool is_ready(std::size_t which) const { return all_[which].revents != 0; }

  private:
    std::size_t add(int fd, short events) {
        all_.push_back({fd, events, 0});
        return all_.size() - 1;
    }
    std::vector<pollfd> all_;
};

}  // namespace hardwork::os
