// Processes and their ends: pidfd_open(2), waitid(2), posix_spawn(3).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "os/fd.hpp"

namespace hardwork::os {

using base::Result;

std::int32_t self_pid();  // getpid, never cached across fork
Result<Fd> open_pidfd(std::int32_t pid);
// The number of the process that a pidfd stands for (its "Pid:" in /proc/self/fdinfo); 0 if it cannot be told.
std::int32_t pid_behind(int pidfd);
// Sends a signal to exactly the process the pidfd stands for; false when it is already gone.
bool send_signal(const Fd& pidfd, int signal);
bool has_ended(const Fd& pidfd);  // without waiting

// fork(2), nothing around it. 0 in the child.
Result<std::int32_t> fork_process();

// Starts a program in a new process (posix_spawn, so a large or threaded parent costs nothing). `keep` are
// descriptors that stay open in it under the same numbers; all other close-on-exec descriptors are closed.
// Signal mask emptied, SIGPIPE etc. default. environment: null means inherit.
Result<std::int32_t> spawn_process(const std::vector<std::string>& argv, std::span<const int> keep);

ExitStatus status_of(int wait_status);  // of a number as waitpid(2) gives it
// Reaps the child `pid` if it has ended; nullopt while it runs. unknown if it is not ours to reap (ECHILD).
std::optional<ExitStatus> reap(std::int32_t pid);
// The exit status of any process that has been reaped by somebody else, where the kernel can tell
// (PIDFD_GET_INFO with PIDFD_INFO_EXIT, Linux 6.15); unknown otherwise.
ExitStatus status_from_pidfd(const Fd& pidfd);

// Whether this process is killed when the thread that forked it ends (prctl(2), PR_SET_PDEATHSIG).
void die_with_parent(bool whether);

[[noreturn]] void exit_now(int code);  // _exit
[[noreturn]] void kill_self();         // SIGKILL to this process

}  // namespace hardwork::os
