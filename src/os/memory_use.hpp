// Whether the kernel's out-of-memory killer has been at work among the processes of this one's control group.
#pragma once

#include <cstdint>
#include <string>

#include "os/fd.hpp"

namespace hardwork::os {

// Counts its kills: oom_kill of memory.events (cgroup version 2) or of memory.oom_control (1) of this process's own
// group; of /proc/vmstat, which counts for the whole machine, where the group has neither. See
// Documentation/admin-guide/cgroup-v2.rst. Not for several threads at a time.
class OomCounter {
  public:
    explicit OomCounter(const std::string& proc_root = "/proc", const std::string& cgroup_root = "/sys/fs/cgroup");
    // For a process that was killed just now: whether a kill has been counted lately that no other death has been put
    // down to.
    bool take(std::uint64_t now_ns);
    // Whether there have been kills since the last take. Takes no memory, neither here nor in the kernel: to be asked
    // where there may be none.
    bool moved() { return kills() != seen_; }
    void close() { file_.reset(); }  // from then on there is no counter

  private:
    bool open(const std::string& file);
    std::uint64_t kills();  // seen_ where there is no counter

    Fd file_;           // stays open, since to open a file takes memory
    std::string text_;  // what was read last
    std::uint64_t seen_ = 0;
    std::uint64_t not_taken_ = 0;
    std::uint64_t counted_at_ = 0;  // now_ns of the last take that found the counter moved
};

// Resident memory of a process (second field of /proc/PID/statm, see proc(5)) in bytes; 0: it is not to be had.
std::uint64_t resident_bytes(std::int32_t pid);

}  // namespace hardwork::os
